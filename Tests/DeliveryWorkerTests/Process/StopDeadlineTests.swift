import Dispatch
import Testing

@testable import DeliveryWorker

/// A stop that does not end by itself.
@Suite struct StopDeadlineTests {
    @Test func `a stop that takes too long is given up once, and says so`() {
        let (lines, isOver) = (LogLines(), DispatchSemaphore(value: 0))
        let deadline = StopDeadline(after: .milliseconds(20), logger: lines.logger) { isOver.signal() }
        deadline.begin()
        deadline.begin()
        #expect(isOver.wait(timeout: .now() + 60) == .success)
        #expect(isOver.wait(timeout: .now() + 0.2) == .timedOut)
        let said = "critical the stop takes too long and is given up; the next start recovers the calls in flight"
        #expect(lines.all == [said])
    }

    @Test func `nothing is given up before a stop has begun`() async throws {
        let lines = LogLines()
        let deadline = StopDeadline(after: .zero, logger: lines.logger) {}
        try await deadline.watchingSignals { await Task.yield() }
        #expect(lines.all.isEmpty)
    }
}
