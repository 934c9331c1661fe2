import DeliveryWorker
import Synchronization
import Testing

@testable import DeliverySimulation

@Suite("Virtual time") struct VirtualTimeTests {
    /// What happened, in order.
    private final class Record: Sendable {
        private let entries = Mutex<[String]>([])
        var all: [String] { entries.withLock { $0 } }

        func add(_ entry: String) {
            entries.withLock { $0.append(entry) }
        }
    }

    private actor Tally {
        private(set) var count = 0

        func add(after pause: Duration, on clock: any Clock<Duration>) async {
            try? await clock.sleep(for: pause)
            count += 1
        }
    }

    @Test func `sleepers wake by their deadlines, those of one deadline in the order of falling asleep`() async {
        let time = VirtualTime()
        let record = Record()
        await withTaskExecutorPreference(time) {
            await withTaskGroup { group in
                for (name, seconds) in [("a", 30), ("b", 10), ("c", 30), ("d", 20), ("e", 30)] {
                    group.addTask {
                        try? await time.clock.sleep(for: .seconds(seconds))
                        record.add("\(name) \(time.now)")
                    }
                }
            }
        }
        let wanted = ["b 10.0 seconds", "d 20.0 seconds", "a 30.0 seconds", "c 30.0 seconds", "e 30.0 seconds"]
        #expect(record.all == wanted)
    }

    @Test func `time stands still while anything is ready`() async {
        let time = VirtualTime()
        await withTaskExecutorPreference(time) {
            async let sleeper: Void? = try? time.clock.sleep(for: .milliseconds(1))
            for _ in 0..<100 { await Task.yield() }
            #expect(time.now == .zero)
            _ = await sleeper
            #expect(time.now == .milliseconds(1))
        }
    }

    @Test func `a cancelled sleep ends at once and moves no time`() async {
        let time = VirtualTime()
        await withTaskExecutorPreference(time) {
            await withTaskGroup { group in
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await time.clock.sleep(for: .seconds(3_600)) }
                }
                try? await time.clock.sleep(for: .seconds(5))
                group.cancelAll()
                // Also one that begins when its task is cancelled already.
                group.addTask {
                    await #expect(throws: CancellationError.self) { try await time.clock.sleep(for: .seconds(3_600)) }
                }
            }
        }
        #expect(time.now == .seconds(5))
    }

    @Test func `actors, groups, children and the bell stay in it`() async {
        let time = VirtualTime()
        let tally = Tally()
        await withTaskExecutorPreference(time) {
            let bell = Bell()
            await withTaskGroup { group in
                for number in 0..<50 { group.addTask { await tally.add(after: .seconds(number), on: time.clock) } }
                group.addTask { await bell.sleep(for: .seconds(86_400), clock: time.clock) }
                group.addTask {
                    async let last: Void = tally.add(after: .seconds(100), on: time.clock)
                    await withDiscardingTaskGroup { inner in
                        inner.addTask { await tally.add(after: .seconds(99), on: time.clock) }
                    }
                    await last
                    await bell.ring()
                }
            }
        }
        #expect(await tally.count == 52)
        #expect(time.now == .seconds(100))
        #expect(time.strays == 1)
    }

    /// The check that guards all results of simulations.
    @Test func `what leaves it is noticed`() async {
        let time = VirtualTime()
        await withTaskExecutorPreference(time) {
            let (ending, end) = AsyncStream<Never>.makeStream()
            let outside = Task { for await _ in ending {} }
            // Has its turn when this task waits for the one outside, which therefore ends on another thread.
            async let ends: Void = end.finish()
            await outside.value
            await ends
        }
        #expect(time.strays == 2)
    }
}
