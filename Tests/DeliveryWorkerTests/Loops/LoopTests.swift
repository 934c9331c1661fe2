import DeliveryQueue
import Logging
import ServiceLifecycle
import ServiceLifecycleTestKit
import Testing

@testable import DeliveryWorker

@Suite struct LoopTests {
    private struct Broken: Error {}

    private actor Turns {
        private(set) var count = 0

        func next() -> Int {
            count += 1
            return count
        }
    }

    private func loop(_ clock: SteppedClock, bell: Bell = Bell(), vitals: Vitals = Vitals(started: .noon)) -> Loop {
        Loop(
            name: "poll", bell: bell, clock: clock, wallClock: VirtualTime().wallClock, vitals: vitals,
            logger: .silent)
    }

    /// Runs a loop until the test's closure is through, then shuts it down and waits for its end.
    private func run(
        _ loop: Loop, _ turn: @escaping @Sendable (Timestamp) async throws -> Duration,
        while body: () async throws -> Void
    ) async rethrows {
        try await testGracefulShutdown { trigger in
            async let running: Void = loop.run(turn)
            try await body()
            trigger.triggerGracefulShutdown()
            await running
        }
    }

    @Test func `a turn is followed by the sleep that it asks for, then by the next turn`() async throws {
        let clock = SteppedClock()
        let turns = Turns()

        await run(loop(clock)) { _ in
            .seconds(await turns.next() * 10)
        } while: {
            var sleeps = clock.sleeps.makeAsyncIterator()
            for expected in [10, 20, 30] {
                #expect(await sleeps.next() == .seconds(expected))
                clock.wake()
            }
            #expect(await sleeps.next() == .seconds(40))
        }

        #expect(await turns.count == 4)
    }

    @Test func `the pause after errors grows to a minute, and one good turn resets it`() async throws {
        let clock = SteppedClock()
        let turns = Turns()
        let vitals = Vitals(started: .noon)

        try await run(loop(clock, vitals: vitals)) { _ in
            guard await turns.next() == 9 else { throw Broken() }
            return .seconds(7)
        } while: {
            var sleeps = clock.sleeps.makeAsyncIterator()
            for expected in [1, 2, 5, 15, 30, 60, 60, 60] {
                #expect(await sleeps.next() == .seconds(expected))
                #expect(await vitals.lastTurns.isEmpty)
                clock.wake()
            }
            #expect(await sleeps.next() == .seconds(7))
            #expect(await vitals.lastTurns == ["poll": .noon])
            clock.wake()
            #expect(await sleeps.next() == .seconds(1))
        }
    }

    @Test func `a ring ends the sleep`() async throws {
        let clock = SteppedClock()
        let bell = Bell()
        let turns = Turns()

        await run(loop(clock, bell: bell)) { _ in
            _ = await turns.next()
            return .seconds(3_600)
        } while: {
            var sleeps = clock.sleeps.makeAsyncIterator()
            _ = await sleeps.next()
            await bell.ring()
            _ = await sleeps.next()
            #expect(await turns.count == 2)
        }
    }

    @Test func `a graceful shutdown ends the sleep and begins no turn`() async throws {
        let clock = SteppedClock()
        let turns = Turns()

        await run(loop(clock)) { _ in
            _ = await turns.next()
            return .seconds(3_600)
        } while: {
            var sleeps = clock.sleeps.makeAsyncIterator()
            _ = await sleeps.next()
        }

        #expect(await turns.count == 1)
    }

    @Test func `a graceful shutdown during a turn lets it finish`() async throws {
        let clock = SteppedClock()
        let latch = Latch()
        let finished = Turns()

        await testGracefulShutdown { trigger in
            async let running: Void = loop(clock).run { _ in
                await latch.pass()
                _ = await finished.next()
                return .seconds(3_600)
            }
            await latch.arrived(1)
            trigger.triggerGracefulShutdown()
            await latch.open()
            await running
        }

        #expect(await finished.count == 1)
    }

    @Test func `a cancelled loop ends, also when its turn throws for that`() async throws {
        let clock = SteppedClock()
        let latch = Latch()
        let running = Task {
            await loop(clock).run { _ in
                await latch.pass()
                try Task.checkCancellation()
                return .seconds(3_600)
            }
        }
        await latch.arrived(1)

        running.cancel()
        await latch.open()

        await running.value
    }

    // MARK: - Bell

    @Test func `a ring while nobody sleeps is kept for the next sleeper, once`() async throws {
        let clock = SteppedClock()
        let bell = Bell()
        await bell.ring()
        await bell.ring()

        await bell.sleep(for: .seconds(60), clock: clock)

        let sleeper = Task { await bell.sleep(for: .seconds(61), clock: clock) }
        var sleeps = clock.sleeps.makeAsyncIterator()
        #expect(await sleeps.next() == .seconds(61))
        clock.wake()
        await sleeper.value
    }

    @Test(arguments: [Duration.zero, .seconds(-1)])
    func `no time to sleep is no sleep`(duration: Duration) async throws {
        await Bell().sleep(for: duration, clock: SteppedClock())
    }

    @Test func `a cancelled sleeper wakes`() async throws {
        let clock = SteppedClock()
        let sleeper = Task { await Bell().sleep(for: .seconds(60), clock: clock) }
        var sleeps = clock.sleeps.makeAsyncIterator()
        _ = await sleeps.next()

        sleeper.cancel()

        await sleeper.value
    }
}
