import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// Times are seconds of the steady clock.
@Suite struct FreshnessTests {
    private func look(
        _ requested: Double, took: Double = 0.1, rows: Timestamp = .distantPast, cut: Freshness.Look.Cut = .none,
        end: Freshness.Look.End = .notReached, isDeep: Bool = false, openings: Int64 = 0
    ) -> Freshness.Look {
        .init(
            requested: .seconds(requested), ended: .seconds(requested + took), rowsSince: rows, cut: cut, end: end,
            isDeep: isDeep, openings: openings)
    }

    private func freshness(_ looks: Freshness.Look...) -> Freshness {
        var freshness = Freshness(within: .seconds(5), at: .zero)
        for look in looks { freshness.took(look, of: "e") }
        return freshness
    }

    @Test func `a look is good for the configured time, counted from its request`() {
        let freshness = freshness(look(10))

        #expect(freshness.isFresh("e", at: .seconds(15)))
        #expect(!freshness.isFresh("e", at: .seconds(15.001)))
        #expect(!freshness.isFresh("other", at: .seconds(10)))
    }

    @Test func `a look that takes long is good for twice its time, so that calls are made at all`() {
        let freshness = freshness(look(10, took: 40))

        #expect(freshness.isFresh("e", at: .seconds(90)))
        #expect(!freshness.isFresh("e", at: .seconds(90.001)))
    }

    @Test func `a look from before calls may begin counts for nothing`() {
        var freshness = freshness(look(10, rows: .noon))
        freshness.open(at: .seconds(11))

        #expect(!freshness.isFresh("e", at: .seconds(11)))
        freshness.took(look(10.5), of: "e")
        #expect(!freshness.isFresh("e", at: .seconds(11)))
        #expect(freshness.rowsSinceOpening("e").time == .distantFuture)
        freshness.took(look(11), of: "e")
        #expect(freshness.isFresh("e", at: .seconds(12)))
    }

    @Test func `rows are known from the newest look, and from all looks since calls may begin`() {
        let freshness = freshness(look(10, rows: .noon, openings: 3), look(20, rows: .noon(60), openings: 3))

        #expect(
            freshness.readings(at: .seconds(21)) == [
                "e": LogReading(openings: 3, rowsSince: .noon(60), rowsSinceOpening: .noon)
            ])
    }

    @Test func `rows that were read before a hold ended do not count as read since calls may begin`() {
        let freshness = freshness(look(10, rows: .noon), look(20, rows: .noon(60), openings: 1))

        #expect(freshness.readings(at: .seconds(21))["e"]?.rowsSinceOpening == .noon(60))
        #expect(freshness.rowsSinceOpening("e").openings == 1)
    }

    @Test func `a row that one whole reading does not show may have been missed, and after two it is gone`() {
        var freshness = freshness(look(10, rows: .noon, end: .reached))
        #expect(freshness.readings(at: .seconds(11))["e"]?.rowsSince == .noon)

        freshness.took(look(12, rows: .noon, end: .disturbed), of: "e")
        freshness.took(look(13, rows: .noon, end: .reached), of: "e")
        #expect(freshness.readings(at: .seconds(14))["e"]?.rowsSince == .noon)

        freshness.took(look(14, rows: .noon, end: .reached), of: "e")
        #expect(freshness.readings(at: .seconds(15))["e"]?.rowsSince == .distantPast)
    }

    @Test func `a page that could not be read does not change how deep usual looks go`() {
        let freshness = freshness(look(10, rows: .noon, cut: .other))

        #expect(freshness.reach("e") == .distantPast)
        #expect(self.freshness(look(10, rows: .noon, cut: .depth)).reach("e") == .noon)
    }

    @Test func `a deep look that met a bad page is not repeated at once`() {
        let freshness = freshness(look(10, rows: .noon, cut: .other, isDeep: true))

        #expect(!freshness.isDeepLookDue("e", at: .seconds(100)))
        #expect(freshness.isDeepLookDue("e", at: .seconds(310)))
    }

    @Test func `rows deeper than a usual look goes are known for five minutes from a deep one`() {
        let deep = look(10, took: 10, rows: .noon, isDeep: true)

        func rows(at time: Double) -> Timestamp? {
            freshness(deep, look(time, rows: .noon(60), cut: .depth)).readings(at: .seconds(time))["e"]?.rowsSince
        }

        #expect(rows(at: 310) == .noon)
        #expect(rows(at: 311) == .noon(60))
    }

    @Test func `a deep look is due at first, every five minutes, and when calls may begin again`() {
        var freshness = freshness()
        #expect(freshness.isDeepLookDue("e", at: .zero))

        freshness.took(look(10, isDeep: true), of: "e")
        freshness.took(look(200), of: "e")
        #expect(!freshness.isDeepLookDue("e", at: .seconds(309)))
        #expect(freshness.isDeepLookDue("e", at: .seconds(310)))

        freshness.open(at: .seconds(20))
        #expect(freshness.isDeepLookDue("e", at: .seconds(21)))
    }
}
