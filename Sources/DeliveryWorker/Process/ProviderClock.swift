import DeliveryQueue
import Logging
import ProviderAPI
import Synchronization

/// The time by the provider's clock, from the `Date` header of its answers (RFC 9110, 6.6.1).
///
/// Our times are compared with the provider's: when an entry was logged, and whether it belongs to a call. So a machine
/// whose clock is wrong, or is set while we run, must use the provider's time. When the clocks agree within seconds, or
/// when the provider sends no time, our own clock is used.
final class ProviderClock: HTTPTransport {
    /// The provider's time at one moment of the steady clock.
    private struct Mark {
        var provider: Timestamp
        var steady: Duration

        func time(at steady: Duration) -> Timestamp { provider + (steady - self.steady) }
    }

    private struct State {
        var mark: Mark?
        /// The time of an answer that contradicts our clock and the earlier answers; a second answer must confirm it.
        var doubtful: Mark?
        var isWrong = false
    }

    private let transport: any HTTPTransport
    private let wall: WallClock
    private let steady: @Sendable () -> Duration
    private let logger: Logger
    private let state = Mutex(State())

    /// Clocks that differ by less agree. It is half of `RetryRules.clockTolerance`, because whole seconds and the
    /// answer's travel time make errors of their own.
    private static let agreement = RetryRules.clockTolerance / 2
    /// The time in an answer that took longer is not exact enough.
    private static let longestRequest = Duration.seconds(2)

    /// - Parameters:
    ///   - transport: its answers carry the time.
    ///   - clock: one that nobody sets.
    init(watching transport: any HTTPTransport, wall: WallClock, clock: any Clock<Duration>, logger: Logger) {
        self.transport = transport
        self.wall = wall
        self.logger = logger
        steady = stopwatch(clock)
    }

    /// Our clock while the two agree, otherwise the provider's.
    var clock: WallClock { WallClock { [self] in now } }

    /// Whether any answer carried the provider's time.
    var isTold: Bool { state.withLock { $0.mark != nil } }

    /// How far our clock is ahead of the provider's, with an error of a second or two; nil without a told time.
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

    /// Error answers are ignored, because a proxy may have made them, and so is one wrong host among many.
    private func learn(from response: HTTPResponse, began: Duration) {
        let (wall, steady) = (wall.now, steady())
        guard (200..<300).contains(response.status), steady - began <= Self.longestRequest,
            let time = response.serverTime(now: wall.milliseconds)
        else { return }
        // The header has whole seconds; on average half a second has passed.
        let mark = Mark(provider: Timestamp(milliseconds: time) + .milliseconds(500), steady: steady)
        let ahead = wall - mark.provider
        let (wasWrong, isWrong) = state.withLock { state in
            let wasWrong = state.isWrong
            guard Self.isCredible(mark, wall: wall, state) else {
                state.doubtful = mark
                return (wasWrong, wasWrong)
            }
            // The second limit is lower, so that a clock close to the limit does not log again and again.
            let limit = wasWrong ? Self.agreement / 2 : Self.agreement
            state = State(mark: mark, isWrong: !Self.agree(wall, mark.provider, within: limit))
            return (wasWrong, state.isWrong)
        }
        guard isWrong != wasWrong else { return }
        if isWrong {
            logger.error(
                "this machine's clock and the provider's differ; the provider's time is used; check NTP on this machine",
                metadata: ["ahead.seconds": "\(ahead.inSeconds)"])
        } else {
            logger.notice("this machine's clock agrees with the provider's again")
        }
    }

    /// Believes the first answer. A later one must agree with our clock, with the earlier answers, or with a doubtful
    /// answer that is at least a second old.
    private static func isCredible(_ mark: Mark, wall: Timestamp, _ state: State) -> Bool {
        guard let known = state.mark else { return true }
        if agree(mark.provider, wall) || agree(mark.provider, known.time(at: mark.steady)) { return true }
        guard let doubtful = state.doubtful, mark.steady - doubtful.steady >= .seconds(1) else { return false }
        return agree(mark.provider, doubtful.time(at: mark.steady))
    }
}
