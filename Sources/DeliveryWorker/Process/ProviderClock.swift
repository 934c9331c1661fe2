import DeliveryQueue
import Logging
import ProviderAPI
import Synchronization

/// The time by the provider's clock, where its answers tell it (the `Date` header, RFC 9110, 6.6.1).
///
/// All that is compared with our own times is the provider's: when an entry was logged, whether it is of a call. So a machine
/// whose clock is wrong, or is put right while we run, must not go by it. Clocks that agree within seconds are left
/// alone; a provider that tells no time is taken to agree.
final class ProviderClock: HTTPTransport {
    /// The provider's time at one moment of the steady clock.
    private struct Mark {
        var provider: Timestamp
        var steady: Duration

        func time(at steady: Duration) -> Timestamp { provider + (steady - self.steady) }
    }

    private struct State {
        var mark: Mark?
        /// What an answer told that contradicts our clock and the answers before; a second one has to confirm it.
        var doubtful: Mark?
        var isWrong = false
    }

    private let transport: any HTTPTransport
    private let wall: WallClock
    private let steady: @Sendable () -> Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// Clocks that differ by less agree: half of what `RetryRules.clockTolerance` allows for, because whole seconds and the way
    /// of an answer take their share.
    private static let agreement = RetryRules.clockTolerance / 2
    /// An answer that took longer does not tell the time well enough.
    private static let longestRequest = Duration.seconds(2)

    /// - Parameters:
    ///   - transport: whose answers tell the time.
    ///   - clock: one that nobody puts right.
    init(watching transport: any HTTPTransport, wall: WallClock, clock: any Clock<Duration>, logger: Logger) {
        self.transport = transport
        self.wall = wall
        self.logger = logger
        steady = stopwatch(clock)
    }

    /// Our clock while it agrees with the provider's, else the provider's.
    var clock: WallClock { WallClock { [self] in now } }

    /// Whether an answer has told the provider's time.
    var isTold: Bool { state.withLock { $0.mark != nil } }

    /// How far our clock is ahead of the provider's, less than a second or two being the way of its answers; nil: not told.
    var ahead: Duration? {
        let (wall, steady) = (wall.now, steady())
        return state.withLock { $0.mark }.map { wall - $0.time(at: steady) }
    }

    private var now: Timestamp {
        let (wall, steady) = (wall.now, steady())
        guard let mark = state.withLock({ $0.mark }) else { return wall }
        let provider = mark.time(at: steady)
        return Self.agree(wall, provider) ? wall : provider
    }

    private static func agree(_ one: Timestamp, _ other: Timestamp, within limit: Duration = agreement) -> Bool {
        abs((one - other).wholeMilliseconds) <= limit.wholeMilliseconds
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let began = steady()
        let response = try await transport.send(request)
        learn(from: response, began: began)
        return response
    }

    /// Not from those whose time may be that of somebody between us and the provider, and not from a single one of many hosts.
    private func learn(from response: HTTPResponse, began: Duration) {
        let (wall, steady) = (wall.now, steady())
        guard (200..<300).contains(response.status), steady - began <= Self.longestRequest,
            let time = response.serverTime(now: wall.milliseconds)
        else { return }
        // It has whole seconds: on average half a second has passed.
        let mark = Mark(provider: Timestamp(milliseconds: time) + .milliseconds(500), steady: steady)
        let ahead = wall - mark.provider
        let (wasWrong, isWrong) = state.withLock { state in
            let wasWrong = state.isWrong
            guard Self.isCredible(mark, wall: wall, state) else {
                state.doubtful = mark
                return (wasWrong, wasWrong)
            }
            // What is told once is not told again for a clock that is about as wrong as it may be.
            let limit = wasWrong ? Self.agreement / 2 : Self.agreement
            state = State(mark: mark, isWrong: !Self.agree(wall, mark.provider, within: limit))
            return (wasWrong, state.isWrong)
        }
        guard isWrong != wasWrong else { return }
        if isWrong {
            logger.error(
                "this machine's clock is wrong, or the provider's: the provider's is used; check NTP on this machine",
                metadata: ["ahead.seconds": "\(ahead.inSeconds)"])
        } else {
            logger.notice("this machine's clock agrees with the provider's again")
        }
    }

    /// The first answer of all is believed; a later one that agrees with our clock or with those before, or with one that was
    /// not believed a second or more ago.
    private static func isCredible(_ mark: Mark, wall: Timestamp, _ state: State) -> Bool {
        guard let known = state.mark else { return true }
        if agree(mark.provider, wall) || agree(mark.provider, known.time(at: mark.steady)) { return true }
        guard let doubtful = state.doubtful, mark.steady - doubtful.steady >= .seconds(1) else { return false }
        return agree(mark.provider, doubtful.time(at: mark.steady))
    }
}
