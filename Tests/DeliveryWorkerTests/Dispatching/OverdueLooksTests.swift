import DeliveryQueue
import ProviderAPI
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// A delivery that waits long for a look at its log is shown as such; a look that comes soon costs no write.
@Suite struct OverdueLooksTests {
    @Test func `a look that comes soon changes nothing`() {
        var looks = OverdueLooks()
        #expect(looks.take(["a"], at: .noon).isEmpty)
        #expect(looks.wait(at: .noon(4)) == .milliseconds(6_001))
        #expect(looks.take(["a"], at: .noon(10)).isEmpty)
        #expect(looks.take([], at: .noon(11)).isEmpty)
        #expect(looks.wait(at: .noon(11)) == nil)
    }

    @Test func `one that is overdue is stored once, and taken back when it was taken`() {
        var looks = OverdueLooks()
        _ = looks.take(["a", "b"], at: .noon)
        #expect(looks.take(["a"], at: .noon(10.5)) == ["a": .noon])
        #expect(looks.take(["a"], at: .noon(20)).isEmpty)
        #expect(looks.wait(at: .noon(20)) == nil)
        #expect(looks.take([], at: .noon(30)) == ["a": nil])
        #expect(looks.take([], at: .noon(31)).isEmpty)
    }

    @Test func `a clock that is put back begins anew`() {
        var looks = OverdueLooks()
        _ = looks.take(["a"], at: .noon)
        #expect(looks.take(["a"], at: .noon(11)) == ["a": .noon])
        #expect(looks.take(["a"], at: .noon(-3_600)).isEmpty)
        #expect(looks.take(["a"], at: .noon(-3_589)).isEmpty)
    }

    @Test func `while the provider wants no log to be read, what is due waits for a look, and one look ends that`()
        async throws
    {
        let policy = RetryPolicy(spacing: .listed([.seconds(60), .seconds(3_600)]), jitter: 0)
        let bench = try await Workbench(policy: policy)
        let fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        for number in 0..<5 {
            await fake.fail(LogLine("t\(number)", at: .noon(-1)).with { $0.body = "\(number)" }, again: 0)
        }
        let provider = TroubledProvider(fake, time: bench.time)
        var configuration = WorkerConfiguration.for(bench)
        configuration.policies = PolicyBook(entries: [.init(events: ["*"], policy: policy)])
        let throttled = HTTPResponse(status: 429, headers: [HTTPHeader("Retry-After", "300")])
        var shown: QueueSnapshot.Endpoint?
        try await VirtualDaemon(bench, configuration, provider).run { now in
            if now > .noon(30), now < .noon(200) { provider.set { $0.isRead ? .success(throttled) : nil } }
            if now >= .noon(200) { provider.set(nil) }
            if shown == nil, now > .noon(120) {
                shown = try await bench.store.snapshot(at: now).endpoints.first
                #expect(provider.times(\.isRetry).isEmpty)
            }
            return try bench.tasks(.delivered).count == 5 || now > .noon(1_000)
        }

        let since = try #require(shown?.lookWanted)
        #expect(shown?.behindLook == 5 && shown?.behindGap == 0)
        #expect(since >= .noon(59) && since < .noon(120))
        #expect(shown?.lastPollError?.contains("429") == true)
        #expect(try bench.tasks(.delivered).count == 5)
        #expect(try bench.number("SELECT COUNT(*) FROM endpoint WHERE look_wanted_ms IS NOT NULL") == 0)
    }
}
