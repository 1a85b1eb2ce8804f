# How the launcher runs workerd; words in braces are filled in.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "agent", worker = .agent),
    # The authority of the run is whom the worker trusts: a script has no say in it.
    (name = "loopback", network = (allow = ["local"], tlsOptions = (trustedCertificates = [{authority}]))),
  ],
  sockets = [
    (name = "agent", address = "127.0.0.1:0", service = "agent", http = ()),
    # Ports cannot be opened later: listeners claim these.
{inbound}
  ],
);

const agent :Workerd.Worker = (
  modules = [(name = "agent", esModule = embed "agent.js")],
  compatibilityDate = "2026-11-17",
  compatibilityFlags = ["experimental", "connect_handler_starttls"],
  globalOutbound = "loopback",
  durableObjectNamespaces = [(className = "Agent", uniqueKey = "agent", preventEviction = true)],
  durableObjectStorage = (inMemory = void),
  bindings = [(name = "AGENT", durableObjectNamespace = "Agent")],
);
