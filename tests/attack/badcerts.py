"""Certificates of all kinds that a gateway must not believe, issued with the key of the authority that it does believe (or with one
that only looks like it), and their honest twins. The development authority may issue leaves only, so chains come from a root of
our own that the live node trusts besides.
"""

import datetime
import ipaddress
import os
import re
import warnings

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID as EKU
from cryptography.x509.oid import NameOID

from tlswire import Identity

PEM = serialization.Encoding.PEM
BOTH = (EKU.CLIENT_AUTH, EKU.SERVER_AUTH)
DAY = datetime.timedelta(days=1)


def now():
    return datetime.datetime.utcnow()


def name(common, organization="Attack world"):
    return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization), x509.NameAttribute(NameOID.COMMON_NAME, common)])


def dns(*names):
    return [x509.DNSName(text) for text in names]


class Authority:
    def __init__(self, certificate, key, chain=()):
        self.certificate, self.key = certificate, key
        self.chain = list(chain)  # from this one up to the anchor, which is not sent
        self.revoked = []

    @classmethod
    def load(cls, folder):
        with open(os.path.join(folder, "ca.pem"), "rb") as file:
            certificate = x509.load_pem_x509_certificate(file.read())
        with open(os.path.join(folder, "ca.key"), "rb") as file:
            return cls(certificate, serialization.load_pem_private_key(file.read(), None))

    @classmethod
    def root(cls, subject, key=None):
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = builder_of(subject, subject, key.public_key(), -DAY, 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(True, None), True).add_extension(usage("key_cert_sign", "crl_sign"), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        return cls(builder.sign(key, hashes.SHA256()), key)

    def intermediate(self, common, path_length=None, permitted=None, digest=None):
        key = ec.generate_private_key(ec.SECP256R1())
        builder = builder_of(name(common), self.certificate.subject, key.public_key(), -DAY, 30 * DAY)
        builder = builder.add_extension(x509.BasicConstraints(True, path_length), True)
        builder = builder.add_extension(usage("key_cert_sign", "crl_sign"), True)
        builder = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        if permitted:
            builder = builder.add_extension(x509.NameConstraints(dns(permitted), None), True)
        certificate = sign(builder, self.key, digest)
        return Authority(certificate, key, [certificate, *self.chain])

    def crl(self):
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now() - DAY).next_update(now() + 30 * DAY).add_extension(x509.CRLNumber(1000), False)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), False)
        for serial in self.revoked:
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(now() - DAY / 2)
            builder = builder.add_revoked_certificate(one.build())
        return builder.sign(self.key, hashes.SHA256()).public_bytes(PEM)


def usage(*names):
    every = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "key_cert_sign")
    every += ("crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{one: one in names for one in every})


def builder_of(subject, issuer, public_key, begins, ends):
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public_key)
    builder = builder.serial_number(x509.random_serial_number())
    return builder.not_valid_before(now() + begins).not_valid_after(now() + ends)


def sign(builder, key, digest=None):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # SHA-1 and MD5, on purpose
        return builder.sign(key, digest or hashes.SHA256())


def make_key(kind):
    return {
        "rsa2048": lambda: rsa.generate_private_key(65537, 2048),
        "rsa1024": lambda: rsa.generate_private_key(65537, 1024),
        "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
        "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
        "p521": lambda: ec.generate_private_key(ec.SECP521R1()),
        "p224": lambda: ec.generate_private_key(ec.SECP224R1()),
        "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
        "brainpool256": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
        "ed25519": ed25519.Ed25519PrivateKey.generate,
        "ed448": ed448.Ed448PrivateKey.generate,
        "dsa2048": lambda: dsa.generate_private_key(2048),
    }[kind]()


class Workshop:
    """Issues certificates into a folder. <ours>, <others>: the names by which the victim and another partner are known."""

    def __init__(self, folder, ca_folder, ours, others):
        os.makedirs(folder, exist_ok=True)
        self.folder, self.ours, self.others = folder, ours, others
        self.authority = Authority.load(ca_folder)
        self.second = Authority.root(name("Second root"))
        self.authorities = [self.authority, self.second]
        self.n = 0

    def make(self, key="p256", names=None, begins=-DAY, ends=30 * DAY, ekus=BOTH, use=("digital_signature",), digest=None,
             issuer=None, subject=None, is_ca=False, revoke=False, sans=None):
        """An Identity: files of the certificate with its chain, and of the key."""
        private = make_key(key)
        issuer = issuer or self.authority
        subject = subject or name("node", "Victim HIE")
        builder = builder_of(subject, issuer.certificate.subject, private.public_key(), begins, ends)
        builder = builder.add_extension(x509.BasicConstraints(is_ca, None), True)
        builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False)
        if use:
            builder = builder.add_extension(usage(*use), True)
        if ekus:
            builder = builder.add_extension(x509.ExtendedKeyUsage(ekus), False)
        general = sans if sans is not None else dns(*(names or [self.ours]))
        if general:
            builder = builder.add_extension(x509.SubjectAlternativeName(general), False)
        certificate = sign(builder, issuer.key, digest)
        if revoke:
            issuer.revoked.append(certificate.serial_number)
        return self._write(private, [certificate, *issuer.chain])

    def _write(self, private, chain):
        self.n += 1
        base = os.path.join(self.folder, f"{self.n:03}")
        pem = b"".join(one.public_bytes(PEM) for one in chain)
        secret = private.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        for suffix, data in ((".pem", pem), (".key", secret)):
            with open(base + suffix, "wb") as file:
                file.write(data)
        return Identity(base + ".pem", base + ".key")

    def self_signed(self, subject=None):
        private = make_key("p256")
        subject = subject or name("node", "Victim HIE")
        builder = builder_of(subject, subject, private.public_key(), -DAY, 30 * DAY)
        builder = builder.add_extension(x509.SubjectAlternativeName(dns(self.ours)), False)
        return self._write(private, [builder.sign(private, hashes.SHA256())])

    def lookalike(self):
        """Another authority's leaf: the same issuer name and serial style, another key."""
        other = Authority.root(self.authority.certificate.subject)
        return self.make(issuer=other), other

    def deep(self, n, **options):
        """An authority <n> steps below the second root."""
        issuer = self.second
        for i in range(n):
            issuer = issuer.intermediate(f"Step {i}", **options)
            self.authorities.append(issuer)
        return issuer

    def sha1_intermediate(self):
        issuer = self.second.intermediate("Signed with SHA-1", digest=hashes.SHA1())
        self.authorities.append(issuer)
        return issuer

    def edit_configuration(self, text, folder):
        """The live node trusts the second root too, and has the revocation lists of every authority here."""
        found = re.search(r"partners:\s*\{anchors:\s*([^,}\s]+)[^}]*\}", text)
        if found is None:
            raise ValueError("no trust: partners: {anchors: ...} in the configuration")
        with open(os.path.join(folder, found.group(1).strip('"')), "rb") as file:
            anchors = file.read()
        paths = {"live-anchors.pem": anchors + self.second.certificate.public_bytes(PEM)}
        paths["live-crl.pem"] = b"".join(authority.crl() for authority in self.authorities)
        self.lists = os.path.join(folder, "live-crl.pem")
        for file_name, data in paths.items():
            with open(os.path.join(folder, file_name), "wb") as file:
                file.write(data)
        return text.replace(found.group(0), "partners: {anchors: live-anchors.pem, crl: live-crl.pem}")


    client_only = EKU.CLIENT_AUTH

    @staticmethod
    def days(n):
        return n * DAY

    def revoke(self, identity):
        """Puts a certificate that the authority issued on its list, which the node reads at its next reload."""
        with open(identity.certificate, "rb") as file:
            self.authority.revoked.append(x509.load_pem_x509_certificate(file.read()).serial_number)
        with open(self.lists, "wb") as file:
            file.write(b"".join(authority.crl() for authority in self.authorities))


def loopback():
    return x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
