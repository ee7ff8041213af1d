#!/bin/sh
# Writes the shipped partner profiles (the YAML files that are given, in order of their names) as C.
set -eu
LC_ALL=C
export LC_ALL
cat <<'END'
/* Made by profiles.sh from the files in gateway/config/profiles. */
#include "config/profiles.h"

const struct config_shipped_profile config_shipped_profiles[] = {
END
for file; do
    printf '    {"%s",\n' "$(basename "$file" .yaml)"
    sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
    printf '    },\n'
done
cat <<'END'
};
const size_t config_shipped_profiles_n =
    sizeof(config_shipped_profiles) / sizeof(config_shipped_profiles[0]);
END
