import Testing

@testable import DeliveryQueue
@testable import DeliveryWorker

/// Times are seconds of the steady clock.
@Suite struct FreshnessTests {
    private func look(
        _ requested: Double, took: Double = 0.1, rows: Timestamp = .distantPast, isCut: Bool = false,
        isDeep: Bool = false,
        openings: Int64 = 0
    ) -> Freshness.Look {
        .init(
            requested: .seconds(requested), ended: .seconds(requested + took), rowsSince: rows, isCut: isCut,
            isDeep: isDeep,
            openings: openings)
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
        #expect(freshness.rowsSinceOpening("e") == .distantFuture)
        freshness.took(look(11), of: "e")
        #expect(freshness.isFresh("e", at: .seconds(12)))
    }

    @Test func `rows are known from the newest look, and from all looks since calls may begin`() {
        let freshness = freshness(look(10, rows: .noon), look(20, rows: .noon(60), openings: 3))

        #expect(
            freshness.readings(at: .seconds(21)) == [
                "e": LogReading(openings: 3, rowsSince: .noon(60), rowsSinceOpening: .noon)
            ])
    }

    @Test func `rows deeper than a usual look goes are known for five minutes from a deep one`() {
        let deep = look(10, took: 10, rows: .noon, isDeep: true)

        func rows(at time: Double) -> Timestamp? {
            freshness(deep, look(time, rows: .noon(60), isCut: true)).readings(at: .seconds(time))["e"]?.rowsSince
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
