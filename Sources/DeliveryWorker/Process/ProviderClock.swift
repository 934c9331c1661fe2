import DeliveryQueue
import Logging
import ProviderAPI
import Synchronization

/// The time by the provider's clock, from the `Date` header of its answers (RFC 9110, 6.6.1).
///
/// Our times are compared with the provider's: when an entry was logged, and whether it belongs to a call. So a machine
/// whose clock is wrong, or is set while we run, must use the provider's time. When the clocks agree within seconds, or
/// when the provider tells no time, our own clock is used. ``ToldTime`` decides which dates tell the time.
final class ProviderClock: HTTPTransport {
    fileprivate struct State {
        var told = ToldTime()
        var isWrong = false
        var saidThatItStands = false
        var hasAnswered = false
    }

    /// What there is to say after an answer.
    fileprivate enum Remark {
        case differs(ahead: Duration), agrees
        case stands(usesOwn: Bool)
    }

    private let transport: any HTTPTransport
    private let wall: WallClock
    private let steady: @Sendable () -> Duration
    private let logger: Logger
    private let state = Mutex(State())

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

    /// The earlier of the two. What is removed for good goes by it, so that a wrong date takes nothing with it.
    var earlier: WallClock { WallClock { [self] in min(wall.now, now) } }

    /// Whether the provider's answers tell its time.
    var isTold: Bool { state.withLock { $0.told.mark != nil } }

    /// Whether an answer came that would have told the time. Before that nobody knows whether our clock is right.
    var isCompared: Bool { state.withLock { $0.hasAnswered } }

    /// How far our clock is ahead of the provider's, with an error of a second or two; nil without a told time.
    var ahead: Duration? {
        let (wall, steady) = (wall.now, steady())
        return state.withLock { $0.told.mark }.map { wall - $0.time(at: steady) }
    }

    private var now: Timestamp {
        let (wall, steady) = (wall.now, steady())
        return state.withLock { $0.told.now(wall: wall, steady: steady) }
    }

    func send(_ request: HTTPRequest) async throws(TransportError) -> HTTPResponse {
        let began = steady()
        let response = try await transport.send(request)
        learn(from: response, began: began)
        return response
    }

    /// Error answers are ignored, because a proxy may have made them, and so are those out of a cache that says so.
    private func learn(from response: HTTPResponse, began: Duration) {
        let (wall, steady) = (wall.now, steady())
        guard (200..<300).contains(response.status) else { return }
        defer { state.withLock { $0.hasAnswered = true } }
        guard steady - began <= ToldTime.longestRequest,
            let time = response.serverTime(now: wall.milliseconds)
        else { return }
        // The header has whole seconds; on average half a second has passed.
        let mark = ToldTime.Mark(provider: Timestamp(milliseconds: time) + .milliseconds(500), steady: steady)
        for remark in state.withLock({ $0.take(mark, wall: wall) }) { say(remark) }
    }

    private func say(_ remark: Remark) {
        switch remark {
        case .differs(let ahead):
            logger.error(
                "this machine's clock and the provider's differ; the provider's time is used; check NTP on this machine",
                metadata: ["ahead.seconds": "\(ahead.inSeconds)"])
        case .agrees: logger.notice("this machine's clock agrees with the provider's again")
        case .stands(usesOwn: true):
            logger.warning("the provider's `Date` does not advance; this machine's clock is used")
        case .stands(usesOwn: false):
            logger.warning("the provider's `Date` does not advance; the time that it told before is used")
        }
    }
}

extension ProviderClock.State {
    fileprivate mutating func take(_ mark: ToldTime.Mark, wall: Timestamp) -> [ProviderClock.Remark] {
        var remarks: [ProviderClock.Remark] = []
        if told.take(mark), !saidThatItStands {
            saidThatItStands = true
            remarks.append(.stands(usesOwn: told.now(wall: wall, steady: mark.steady) == wall))
        }
        // The second limit is lower, so that a clock close to the limit does not log again and again.
        let limit = isWrong ? ToldTime.agreement / 2 : ToldTime.agreement
        guard let known = told.mark?.time(at: mark.steady) else {
            isWrong = false
            return remarks
        }
        let isWrongNow = !ToldTime.agree(wall, known, within: limit)
        if isWrongNow != isWrong { remarks.append(isWrongNow ? .differs(ahead: wall - known) : .agrees) }
        isWrong = isWrongNow
        return remarks
    }
}
