import Testing

/// The built daemon is killed at named points and random moments while everything around it fails.
@Suite struct TortureTests {
    /// 12 kills in `make test`, 200 in `make prove`, KILLS of them in `make torture`. A failure names the seed of its
    /// round.
    @Test func `kills at any moment lose nothing, finish nothing twice and repeat nothing that the log shows`()
        async throws
    {
        let torture = Torture(kills: Torture.wantedKills)
        let tally = try await torture.run()
        print("torture: \(tally)")
        #expect(tally.kills >= torture.kills)
        #expect(tally.lost == 0 && tally.finalTwice == 0 && tally.repeats == 0)
        #expect(tally.executed > tally.deliveries)
        for place in KillPlace.allCases where torture.kills >= 200 {
            #expect(tally.places[place] ?? 0 >= 3, "\(place.rawValue): \(tally.places[place] ?? 0)")
        }
    }
}
