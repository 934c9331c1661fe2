import DeliveryQueue
import ServiceLifecycleTestKit
import Synchronization
import Testing

@testable import DeliveryWorker

/// A loop vouches for itself with each turn until the next one is to be complete.
@Suite struct WatchdogTests {
    private let time = VirtualTime()
    private let vitals: Vitals

    init() {
        vitals = Vitals(started: .noon, clock: time.clock)
    }

    @Test func `a loop that sleeps is not stalled, however long it sleeps`() async {
        let loop = await vitals.began("poll", patience: .seconds(900))
        await vitals.turned(loop, begun: .noon, nextIn: .seconds(86_400 + 900))

        time.advance(by: .seconds(86_400 + 900))
        #expect(await vitals.stalledLoops == [])
        time.advance(by: .milliseconds(1))
        #expect(await vitals.stalledLoops == ["poll"])
    }

    @Test func `a first turn that does not end is a stall, and one of many loops of a name is enough`() async {
        for _ in 0..<3 {
            let loop = await vitals.began("poll", patience: .seconds(900))
            await vitals.turned(loop, begun: .noon, nextIn: .seconds(5_000))
        }
        let stuck = await vitals.began("poll", patience: .seconds(900))

        time.advance(by: .seconds(901))
        #expect(await vitals.stalledLoops == ["poll"])
        await vitals.turned(stuck, begun: .noon, nextIn: .seconds(900))
        #expect(await vitals.stalledLoops == [])
    }

    @Test func `a loop that has ended has nothing to complete`() async {
        let loop = await vitals.began("prune", patience: .seconds(900))
        await vitals.ended(loop)

        time.advance(by: .seconds(10_000))
        #expect(await vitals.stalledLoops == [])
    }

    @Test(
        arguments: [("30000000", .seconds(30)), ("+30000000", nil), ("-1", nil), ("0", nil), ("", nil)]
            as [(String, Duration?)])
    func `the watchdog's time has digits only`(text: String, time: Duration?) {
        let environment = ["NOTIFY_SOCKET": "/none", "WATCHDOG_USEC": text]
        #expect(ServiceManager(environment: environment, logger: .silent).watchdog == time)
    }

    @Test func `a manager is fed while all loops turn, and not while one hangs`() async throws {
        let fed = Mutex(0)
        let manager = ServiceManager(watchdog: .seconds(30)) { message in
            if message == "WATCHDOG=1" { fed.withLock { $0 += 1 } }
        }
        let ticks = SteppedClock()
        let watchdog = Watchdog(manager: manager, vitals: vitals, clock: ticks, logger: .silent)
        let loop = await vitals.began("dispatch", patience: .seconds(900))

        try await testGracefulShutdown { trigger in
            async let running: Void = watchdog.run()
            var sleeps = ticks.sleeps.makeAsyncIterator()
            #expect(await sleeps.next() == .seconds(10))
            #expect(fed.withLock { $0 } == 1)
            time.advance(by: .seconds(901))
            ticks.wake()
            #expect(await sleeps.next() == .seconds(10))
            #expect(fed.withLock { $0 } == 1)
            await vitals.turned(loop, begun: .noon, nextIn: .seconds(900))
            ticks.wake()
            #expect(await sleeps.next() == .seconds(10))
            #expect(fed.withLock { $0 } == 2)
            trigger.triggerGracefulShutdown()
            try await running
        }
    }

    @Test(
        arguments: [
            (["WATCHDOG_USEC": "30000000"], nil), (["NOTIFY_SOCKET": "/n"], nil),
            (["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000"], 30),
            (["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"], 30),
            (["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"], nil),
            (["NOTIFY_SOCKET": "", "WATCHDOG_USEC": "30000000"], nil),
            (["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "soon"], nil),
            (["NOTIFY_SOCKET": "/n", "WATCHDOG_USEC": "-1"], nil),
        ] as [([String: String], Int?)])
    func `a watchdog is fed only where a manager asks this process for it`(
        environment: [String: String], seconds: Int?
    ) {
        let manager = ServiceManager(environment: environment, processID: 7, logger: .silent)
        #expect(manager.watchdog == seconds.map { Duration.seconds($0) })
    }
}
