#!/bin/sh
# Puts the password and the CA's certificate into the application's volume. stdin: a line with the password, the certificate.
# VOLUME: the volume. IMAGE: an image with sh. OWNER: number of the user who may read the password.
# Names of the files: `applicationFiles` in application-container.ts.
#
# By a short-lived container that has no network and may do nothing but give a file away. The password is never an argument.
docker run --rm --interactive --network none --log-driver none --read-only --user 0:0 \
  --cap-drop ALL --cap-add CHOWN --security-opt no-new-privileges \
  --volume "$VOLUME:/files" --entrypoint sh "$IMAGE" -euc '
    umask 077
    cd /files
    IFS= read -r line
    printf "%s\n" "$line" > pgpass.partial
    cat > ca.crt.partial
    chmod 444 ca.crt.partial
    chown "$1:$1" pgpass.partial
    sync
    for file in pgpass ca.crt; do mv "$file.partial" "$file"; done
  ' sh "$OWNER"
