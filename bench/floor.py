"""The least that a proxy which ends TLS can do, in place of a peer: see floor.cc."""

from servers import Unable


def floor(ground, folder, ports, variant, _):
    if variant.workers > 1 or variant.store_tls:
        raise Unable("the floor has one process, and clear text to its store")
    chain, key = ground.certificates[variant.certificate]
    pairs = [option for name, port in ports.items()
             for option in ("--port", str(port), "--store-port", str(ground.store_port(name, variant)))]
    return [[ground.floor_program(), "--chain", chain, "--key", key, *pairs]]
