"""A certificate authority of our own, by the openssl command."""

import os
import subprocess


def _openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, capture_output=True)


class Certificate:
    """A key and its chain, both PEM files."""

    def __init__(self, chain, key):
        self.chain = chain
        self.key = key

    def toml(self):
        return f'{{ chain = "{self.chain}", key = "{self.key}" }}'


class Authority:
    def __init__(self, directory, name="Postern Test CA"):
        os.makedirs(directory, exist_ok=True)
        self.directory = directory
        self.key = os.path.join(directory, "ca.key")
        self.file = os.path.join(directory, "ca.crt")
        _openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "3650",
                 "-subj", f"/CN={name}", "-keyout", self.key, "-out", self.file,
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")

    def issue(self, *names, rsa=False, file=None, expired=False):
        """A certificate for `names` (host names and IP addresses), ECDSA P-256 unless `rsa`."""
        base = os.path.join(self.directory, file or names[0].replace("*", "star") + ("-rsa" if rsa else ""))
        alternatives = ",".join(("IP:" if name.replace(".", "").isdigit() or ":" in name else "DNS:") + name
                                for name in names)
        kind = ["rsa:2048"] if rsa else ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        return self._sign(base, f"/CN={names[0]}", alternatives, "serverAuth", kind, expired)

    def issue_client(self, file, subject, *emails, expired=False):
        """A client's certificate: `subject` in openssl's form, "/CN=anna"; e-mail addresses as alternative names."""
        return self._sign(os.path.join(self.directory, file), subject, ",".join("email:" + each for each in emails),
                          "clientAuth", ["ec", "-pkeyopt", "ec_paramgen_curve:P-256"], expired)

    def _sign(self, base, subject, alternatives, usage, kind, expired):
        key, request, leaf, chain = (base + end for end in (".key", ".csr", ".leaf", ".crt"))
        extensions = base + ".ext"
        with open(extensions, "w") as out:
            out.write(f"extendedKeyUsage={usage}\nbasicConstraints=CA:FALSE\n")
            if alternatives:
                out.write(f"subjectAltName={alternatives}\n")
        _openssl("req", "-newkey", *kind, "-nodes", "-subj", subject, "-keyout", key, "-out", request)
        # "openssl ca" could set both dates, but needs a database; a certificate of minus one day is expired too.
        _openssl("x509", "-req", "-in", request, "-CA", self.file, "-CAkey", self.key, "-CAcreateserial",
                 "-days", "-1" if expired else "365", "-extfile", extensions, "-out", leaf)
        with open(chain, "wb") as out:
            for part in (leaf, self.file):
                with open(part, "rb") as source:
                    out.write(source.read())
        os.chmod(key, 0o600)
        return Certificate(chain, key)
