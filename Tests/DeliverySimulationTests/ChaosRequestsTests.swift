import Testing

@testable import ChaosSimulation

@Suite("Requests that a poll can do without") struct ChaosRequestsTests {
    private func row(_ number: Int, isKnown: Bool) -> ChaosTruth.Row {
        ChaosTruth.Row(
            number: number, event: 0, taskID: "\(number)", outcome: .succeeded, created: Int64(number) * 60_000,
            visible: .zero, committed: isKnown ? .zero : nil)
    }

    /// A log of twenty rows, one a minute, the newest first.
    private func log(known: Int = 20) -> [ChaosTruth.Row] { (0..<20).map { row($0, isKnown: $0 < known) } }

    private func page(_ places: some Sequence<Int>) -> ChaosTruth.ShownPage {
        ChaosTruth.ShownPage(rows: Array(places), count: 20, next: ChaosAddress(page: 1))
    }

    /// One turn that begins at a time and goes on behind its first page.
    private func turn(_ requests: inout ChaosRequests, at seconds: Int, openings: Int = 0) -> Bool {
        requests.begin(at: .seconds(seconds))
        requests.take(page((4..<20).reversed()), log())
        return requests.hasReason || requests.takeReread(disturbed: .zero, openings: openings)
    }

    /// The log was read to its end before, so that its order is known.
    private func known() -> ChaosRequests {
        var requests = ChaosRequests()
        requests.begin(at: .zero)
        requests.take(page((0..<20).reversed()), log())
        return requests
    }

    @Test func `reading on without a reason counts when it comes sooner than five minutes after the last time`() {
        var requests = known()
        let due = [0, 300].map { turn(&requests, at: $0) }
        #expect(due == [true, true] && requests.early == 0)
        let early = [400, 500].map { turn(&requests, at: $0) }
        let again = requests.takeReread(disturbed: .zero, openings: 0)
        #expect(early == [true, true] && again && requests.early == 2, "a turn counts once")
    }

    @Test func `what is early needs something that opened in the last ten minutes`() {
        var requests = known()
        let turns = [7_200, 7_260].map { turn(&requests, at: $0) }
        let opened = [7_320, 7_380].map { turn(&requests, at: $0, openings: 1) }
        #expect(turns == [true, false])
        #expect(opened == [true, false])
    }

    @Test func `a page with something new is a reason to read on, and so is an order that is not known`() {
        var requests = known()
        requests.begin(at: .zero)
        requests.take(page((18..<20).reversed()), log())
        #expect(!requests.hasReason)
        requests.take(page((16..<18).reversed()), log(known: 17))
        #expect(requests.hasReason)
        requests.forgetOrder()
        requests.begin(at: .zero)
        requests.take(page((18..<20).reversed()), log())
        #expect(requests.hasReason)
    }

    @Test func `a page that could not be read leaves the order unknown`() {
        var requests = known()
        for second in 1...2 { _ = requests.take(isEndless: false, at: .seconds(second)) }
        requests.begin(at: .seconds(2))
        requests.take(page((18..<20).reversed()), log())
        #expect(requests.hasReason)
    }

    @Test func `a page that ends twice the overlap below the row that was the newest is the last one`() {
        var requests = ChaosRequests()
        requests.begin(at: .zero)
        requests.take(page((4..<20).reversed()), log())
        #expect(!requests.isBelow(.seconds(300)), "nothing was known before")
        requests.begin(at: .zero)
        requests.take(page((8..<20).reversed()), log())
        #expect(!requests.isBelow(.seconds(300)))
        requests.take(page((4..<8).reversed()), log())
        #expect(requests.isBelow(.seconds(300)))
        #expect(!requests.isBelow(.seconds(600)))
    }

    @Test func `empty pages without end are too many at the twentieth`() {
        var requests = ChaosRequests()
        let results = (0..<21).map { requests.take(isEndless: true, at: .seconds($0)) }
        #expect(results.firstIndex(of: true) == 19)
        let later = requests.take(isEndless: true, at: .seconds(30))
        #expect(!later, "a later turn begins anew")
    }
}

@Suite("The address of a page") struct ChaosAddressTests {
    @Test(arguments: [(3, 0), (0, 0), (7, 4), (2, ChaosAddress.endless + 5)])
    func `an address is read as it was written`(page: Int, empty: Int) {
        let address = ChaosAddress(page: page, empty: empty)
        #expect(ChaosAddress(number: address.number) == address)
        #expect(address.isEndless == (empty >= ChaosAddress.endless))
    }
}
