import DeliveryQueue
import Testing

@testable import DeliveryWorker

/// Which of the provider's dates tell the time.
@Suite struct ToldTimeTests {
    /// An answer: when it came, and its date; both in seconds after noon of the right time.
    typealias Answer = (at: Double, date: Double)

    private static func mark(_ answer: Answer) -> ToldTime.Mark {
        ToldTime.Mark(provider: .noon(answer.date), steady: .milliseconds(Int64(answer.at * 1_000)))
    }

    /// What is told after these answers: how many seconds it is ahead of the right time.
    private static func told(_ answers: [Answer]) -> (ahead: Double?, time: ToldTime, stands: [Bool]) {
        var time = ToldTime()
        let stands = answers.map { time.take(mark($0)) }
        let last = mark((answers.last?.at ?? 0, 0)).steady
        return (time.mark.map { ($0.time(at: last) - .noon(answers.last?.at ?? 0)).inSeconds }, time, stands)
    }

    @Test(
        arguments: [
            ([(0, 100)], 100), ([(0, 100), (10, 110)], 100), ([(0, 0), (1, 0), (3, 3), (10, 10)], 0),
            ([(0, 0), (2, 0), (3, 0), (4, 4)], 0),
            // A second that is cut off and an answer that took two: the later one is right.
            ([(0, -3), (10, 10)], 0), ([(0, 0), (10, 7)], 0), ([(0, 0), (10, 7), (20, 17), (30, 27)], 0),
            // One host of many is wrong; then all are, because the provider's clock was set.
            ([(0, 0), (60, 60), (70, 370), (80, 80)], 0), ([(0, 0), (60, 60), (70, 370), (72, 372)], 0),
            ([(0, 0), (60, 60), (70, 370), (80, 380)], 300), ([(0, 0), (60, 60), (70, -230), (80, -220)], -300),
            ([(0, 0), (60, 60), (70, 370), (75, 75), (80, 380), (85, 85)], 0),
            // The first host was the wrong one.
            ([(0, 500), (10, 10), (20, 20)], 0),
            // A clock that gains: what it has gained is told when it is clear.
            ([(0, 0), (40_000, 40_004), (40_010, 40_014)], 4),
        ] as [([Answer], Double)])
    func `a date that advances as our steady clock does tells the time`(answers: [Answer], ahead: Double) {
        let told = Self.told(answers)
        #expect(told.ahead == ahead)
        #expect(!told.stands.contains(true))
    }

    @Test(
        arguments: [
            [(0, 0), (4, 0)], [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0)], [(0, -400), (60, -400), (120, -400)],
            // It jumps once, or now and then.
            [(0, -400), (60, -400), (120, 120)], [(0, -400), (60, -400), (120, 120), (180, 120)],
            [(0, 0), (30, 0), (60, 60), (90, 60), (120, 120), (150, 120), (180, 180)],
            // Of two hosts both stand.
            [(0, -400), (1, -90), (60, -400), (61, -90), (120, -400), (121, -90)],
            [(0, -400), (1, -396), (60, -400), (61, -396), (62, -398), (120, -398), (121, -396)],
        ] as [[Answer]])
    func `a date that stands still tells nothing`(answers: [Answer]) {
        let told = Self.told(answers)
        #expect(told.ahead == nil && told.stands.contains(true))
        let last = Self.mark((answers.last?.at ?? 0, 0)).steady
        for wall in [Timestamp.noon(86_400), .noon((answers.last?.at ?? 0) + 7)] {
            #expect(told.time.now(wall: wall, steady: last) == wall)
        }
    }

    @Test(
        arguments: [
            [(0, -400), (60, -400), (120, 120), (130, 130)],
            [(0, -400), (60, -400), (120, 120), (125, -400), (130, 130)],
            // Two proxies in turn, one of which stands.
            [(0, -400), (1, 1), (5, -400), (10, 10), (11, -400), (20, 20)],
            [(0, 0), (1, -400), (10, 10), (20, -400), (30, 30), (40, -400), (900, -400)],
            [(0, 0), (10, 10), (20, -400), (30, -400), (40, -400), (50, 50), (60, -400)],
            // Proven once, it is known without further dates.
            [(0, 0), (10, 10), (60, 10), (400, 10), (86_400, 10)],
        ] as [[Answer]])
    func `a date that stands still takes nothing from those that advance`(answers: [Answer]) {
        let told = Self.told(answers)
        #expect(told.ahead == 0 && told.stands.contains(true))
    }

    @Test(arguments: [-3_600, -60, 0, 60, 3_600], [false, true])
    func `a date that stands still never puts the clock back`(wall ahead: Double, isProven: Bool) {
        var told = ToldTime()
        _ = told.take(Self.mark((0, 0)))
        if isProven { _ = told.take(Self.mark((10, 10))) }
        var latest = told.now(wall: .noon(10 + ahead), steady: .seconds(10))
        for second in 11...600 {
            _ = told.take(Self.mark((Double(second), isProven ? 10 : 0)))
            let now = told.now(wall: .noon(Double(second) + ahead), steady: .seconds(second))
            #expect(now > latest)
            latest = now
        }
        let expected = isProven ? 0 : max(ahead, 0)
        #expect(latest == .noon(600 + expected))
    }

    @Test func `what is remembered of other hosts is bounded, and the newest can still prove themselves`() {
        var answers: [Answer] = [(0, 0)]
        for number in 1...50 { answers.append((1, Double(number) * 1_000)) }
        answers.append((10, 50_009))
        #expect(Self.told(answers).ahead == 49_999)
    }
}
