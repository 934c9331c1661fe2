import DeliveryQueue
import GRDB
import ProviderAPI
import Synchronization
import Testing

@testable import DeliveryWorker
@testable import RedeliverConfiguration

/// The daemon's services where tokens are not valid yet when they are issued, on virtual time.
@Suite struct NewTokenTests {
    /// The token is refused for its first two seconds, at the login and after each refresh.
    @Test func `tokens that are refused for their first seconds hold nothing`() async throws {
        let bench = try await Workbench()
        let fake = FakeProvider(time: bench.time, confirmation: .sameTaskID)
        let provider = TroubledProvider(fake, time: bench.time)
        for number in 0..<60 {
            let line = LogLine("t\(number)", at: .noon(-600 - Double(number))).with { $0.body = "\(number)" }
            await fake.fail(line, again: 0)
        }
        var configuration = WorkerConfiguration.for(bench)
        configuration.provider.credential = .login(username: "u", password: .value(Secret("p")))
        let issued = Mutex(Timestamp.distantPast)
        provider.set { [time = bench.time] request in
            issued.withLock { issued in
                if request.isLogin || request.isRefresh { issued = time.now }
                return time.now < issued + .seconds(2) && !request.isLogin && !request.isRefresh
                    ? .success(HTTPResponse(status: 401)) : nil
            }
        }

        var isEnded = false
        try await VirtualDaemon(bench, configuration, provider).run { now in
            if !isEnded, provider.times(\.isRetry).count >= 30 {
                isEnded = true
                provider.endTokens()
            }
            return try bench.tasks(.delivered).count == 60 || now > .noon(600)
        }

        #expect(try bench.tasks(.delivered).count == 60)
        #expect(bench.time.now < .noon(120))
        #expect(provider.times(\.isLogin).count == 1)
        #expect(provider.times(\.isRefresh).count == 1)
        #expect(try bench.number("SELECT COUNT(*) FROM attempt WHERE answer = 'unauthorized'") == 0)
    }
}
