import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.Collection;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.apache.wss4j.common.crypto.Merlin;

/** The keys of one community, out of the PEM files that `isthmus init` wrote: TLS, signatures, and whom to trust. */
final class Keys {
    static final String ALIAS = "own";
    static final String PASSWORD = "none";
    final X509Certificate signing;
    private final KeyStore tls;
    private final KeyStore signer;
    private final KeyStore trusted;

    Keys(Path pki) throws Exception {
        tls = identity(pki, "node");
        signer = identity(pki, "signing");
        signing = (X509Certificate) signer.getCertificate(ALIAS);
        trusted = empty();
        trusted.setCertificateEntry("ca", certificates(pki.resolve("ca.pem"))[0]);
    }

    KeyStore tls() {
        return tls;
    }

    KeyStore trusted() {
        return trusted;
    }

    /** Signs as this community; verifies against the authority that all communities of the test share. */
    Merlin crypto() {
        final Merlin crypto = new Merlin();
        crypto.setKeyStore(signer);
        crypto.setTrustStore(trusted);
        return crypto;
    }

    SSLContext context() throws Exception {
        final KeyManagerFactory keys = KeyManagerFactory.getInstance("PKIX");
        keys.init(tls, PASSWORD.toCharArray());
        final TrustManagerFactory trust = TrustManagerFactory.getInstance("PKIX");
        trust.init(trusted);
        final SSLContext context = SSLContext.getInstance("TLS");
        context.init(keys.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    private static KeyStore identity(Path pki, String name) throws Exception {
        final Certificate[] chain = certificates(pki.resolve(name + ".pem"));
        final KeyStore store = empty();
        store.setKeyEntry(ALIAS, key(pki.resolve(name + ".key"), chain[0]), PASSWORD.toCharArray(), chain);
        return store;
    }

    private static PrivateKey key(Path file, Certificate of) throws Exception {
        final String pem = Files.readString(file).replaceAll("-----[A-Z ]*-----|\\s", "");
        final byte[] der = Base64.getDecoder().decode(pem);
        return KeyFactory.getInstance(of.getPublicKey().getAlgorithm()).generatePrivate(new PKCS8EncodedKeySpec(der));
    }

    private static Certificate[] certificates(Path file) throws Exception {
        try (FileInputStream in = new FileInputStream(file.toFile())) {
            final Collection<? extends Certificate> all = CertificateFactory.getInstance("X.509").generateCertificates(in);
            return all.toArray(new Certificate[0]);
        }
    }

    private static KeyStore empty() throws Exception {
        final KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        return store;
    }
}
