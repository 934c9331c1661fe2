import HostileInput
import Synchronization
import Testing

@testable import ProviderAPI

/// Tokens that are not valid yet when they are issued, because the provider's clocks differ.
@Suite("New tokens")
struct NewTokenTests {
    private let clock = SkippingClock()
    private let provider: LateTokens
    private let client: ProviderClient

    init() {
        provider = LateTokens(clock)
        client = makeClient(
            provider, credential: .login(username: "ops", password: .value(Secret("p"))), clock: clock)
    }

    @Test func `a token that is refused for its first two seconds is tried again, and nothing is renewed`() async throws
    {
        provider.set(late: .seconds(2))

        _ = try await client.logs(of: "e")

        #expect(provider.counts == ["login": 1, "call": 3])
        #expect(clock.slept == .seconds(3))
    }

    @Test func `so is a refreshed one`() async throws {
        _ = try await client.logs(of: "e")
        provider.set(late: .seconds(2))
        provider.endTokens()

        #expect(await client.retry(sampleRetry).kind == .accepted)
        #expect(provider.counts == ["login": 1, "refresh": 1, "call": 5])
    }

    @Test func `a token that stays refused counts as refused after seconds, and is renewed as ever`() async throws {
        provider.set(late: .seconds(3_600))

        #expect(await client.retry(sampleRetry).kind == .unauthorized)
        #expect(provider.counts == ["login": 2, "refresh": 1, "call": 12])
        #expect(clock.slept == ProviderClient.longestPatience)
    }

    @Test func `a token that a call got through with is renewed at once when it ends`() async throws {
        _ = try await client.logs(of: "e")
        provider.endTokens()
        _ = try await client.logs(of: "e")

        #expect(provider.counts == ["login": 1, "refresh": 1, "call": 3])
        #expect(clock.slept == .zero)
    }

    @Test func `a fixed token is not waited for`() async {
        provider.set(late: .seconds(2))

        #expect(await makeClient(provider, clock: clock).retry(sampleRetry).kind == .unauthorized)
        #expect(clock.slept == .zero)
    }

    @Test func `a call whose time is over while it waits is not sent again`() async {
        provider.set(late: .seconds(2))
        let clock = clock

        #expect(await client.retry(sampleRetry) { clock.slept == .zero }.kind == .late)
        #expect(provider.counts == ["login": 1, "call": 1])
    }
}

/// Gives tokens that are refused for a while after they were issued, until they end.
private final class LateTokens: HTTPTransport {
    private struct State {
        var late = Duration.zero
        var token = 0
        var ended = 0
        var issued = Duration.zero
        var counts: [String: Int] = [:]
    }

    private let clock: SkippingClock
    private let state = Mutex(State())

    init(_ clock: SkippingClock) {
        self.clock = clock
    }

    func set(late: Duration) { state.withLock { $0.late = late } }
    func endTokens() { state.withLock { $0.ended = $0.token } }
    var counts: [String: Int] { state.withLock { $0.counts } }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let now = clock.slept
        return state.withLock { state in
            let kind =
                request.url.hasSuffix("/user/login") ? "login" : request.url.hasSuffix("/refresh/") ? "refresh" : "call"
            state.counts[kind, default: 0] += 1
            guard kind == "call" else {
                state.token += 1
                state.issued = now
                return HTTPResponse(200, "{\"access\": \"a\(state.token)\", \"refresh\": \"r\"}")
            }
            let isGood = request.authorization == "Bearer a\(state.token)" && state.token > state.ended
            return isGood && now - state.issued >= state.late ? HTTPResponse(200, "[]") : HTTPResponse(401)
        }
    }
}

/// A clock by which only sleeps take time, and they end at once.
private final class SkippingClock: Clock {
    struct Instant: InstantProtocol {
        let offset: Duration

        func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
        func duration(to other: Instant) -> Duration { other.offset - offset }
        static func < (left: Instant, right: Instant) -> Bool { left.offset < right.offset }
    }

    private let offset = Mutex(Duration.zero)

    var slept: Duration { offset.withLock { $0 } }
    var now: Instant { Instant(offset: slept) }
    var minimumResolution: Duration { .nanoseconds(1) }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        offset.withLock { $0 = max($0, deadline.offset) }
    }
}
