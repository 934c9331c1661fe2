import Testing

@testable import DeliveryQueue
@testable import QueueFixtures

@Suite struct ZoneHintTests {
    @Test(
        arguments: [
            (-18_000, "-05:00"), (10_800, "+03:00"), (20_700, "+05:45"), (-34_200, "-09:30"), (0, nil), (-9, nil),
            (-600, nil),
            (-54_000, nil), (-17_700, nil),
        ] as [(Int, String?)])
    func `a time that is whole quarters off hints at its zone`(seconds: Int, zone: String?) {
        let called = start + .seconds(7)
        let logged = called + .seconds(2 + seconds)
        #expect(ZoneHint.zone(logged: logged, called: called, found: called + .seconds(5)) == zone)
    }

    @Test func `an entry that was found long after the call hints at nothing`() {
        #expect(ZoneHint.zone(logged: start - .hours(5), called: start, found: start + .minutes(15)) == nil)
    }
}
