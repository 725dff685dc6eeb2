# A socket in front of the Worker, and the loopback network behind it.
using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = .main),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);

const main :Workerd.Worker = (
  modules = [(name = "worker", esModule = embed "build/worker.js")],
  compatibilityDate = "2026-11-01",
  bindings = [
    (name = "RESPAN_API_KEY", text = "a-key"),
    (name = "RESPAN_BASE_URL", fromEnvironment = "RESPAN_BASE_URL"),
  ],
);
