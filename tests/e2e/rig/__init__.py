"""What the end-to-end tests and the demo stand on: real stores, false stores, certificates, Postern itself."""
