import Foundation
import TestSupport
import Testing

/// The daemon tells the service manager that started it how it is.
@Suite struct ServiceManagerTests {
    @Test func `a manager hears when the daemon is ready, alive, reloading and stopping`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let manager = try NotifySocket(in: bench.folder)
            let daemon = try await redeliver.start(
                environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "300000"])

            try await waitUntil("it is alive for a while") {
                manager.messages.count { $0 == "WATCHDOG=1" } >= 4 && manager.messages.contains("READY=1")
            }
            daemon.send(SIGHUP)
            try await waitUntil("it is ready again") { manager.messages.count { $0 == "READY=1" } == 2 }
            try await redeliver.waitUntilDelivered(4)
            #expect(try await daemon.stop() == .code(0))

            let states = manager.messages.filter { $0 != "WATCHDOG=1" }
            #expect(
                states.map { String($0.prefix { $0 != "\n" }) } == ["READY=1", "RELOADING=1", "READY=1", "STOPPING=1"])
            #expect(states.contains { $0.contains("MONOTONIC_USEC=") })
        }
    }

    @Test func `a start that fails is not told as ready`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "1")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            try redeliver.write("provider: nonsense")
            let manager = try NotifySocket(in: bench.folder)
            let finished = try await bench.run(
                "redeliver", ["run", "--config", redeliver.configuration.path],
                environment: ["NOTIFY_SOCKET": manager.path])
            #expect(finished.ending != .code(0) && manager.messages == [])
        }
    }

    @Test func `a manager that is gone disturbs nothing`() async throws {
        try await withBench { bench in
            let sandbox = try await bench.sandbox("--failures", "4")
            let redeliver = try bench.redeliver(RedeliverSettings(sandbox))
            let gone = bench.folder.appending(path: "gone").path
            let daemon = try await redeliver.start(environment: ["NOTIFY_SOCKET": gone, "WATCHDOG_USEC": "300000"])
            try await redeliver.waitUntilDelivered(4)
            #expect(daemon.errors.contains("cannot reach the service manager"))
            #expect(try await daemon.stop() == .code(0))
        }
    }
}
