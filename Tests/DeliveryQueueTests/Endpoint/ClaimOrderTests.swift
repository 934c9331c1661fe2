import Testing

@testable import DeliveryQueue

@Suite struct ClaimOrderTests {
    private static func line(_ endpoint: String, _ fresh: ClosedRange<Int64>, held: [Int64] = []) -> ClaimOrder.Line {
        .init(endpointID: endpoint, fresh: Array(fresh), held: held)
    }

    @Test func `endpoints take turns, whoever has more`() {
        let order = ClaimOrder(lines: [Self.line("a", 1...5), Self.line("b", 11...11), Self.line("c", 21...23)])
        #expect(order.first(100) == [1, 11, 21, 2, 22, 3, 23, 4, 5])
        #expect(order.first(4) == [1, 11, 21, 2])
    }

    @Test(arguments: [
        ("a", [11, 21, 1]), ("b", [21, 1, 11]), ("c", [1, 11, 21]), ("0", [1, 11, 21]), ("z", [1, 11, 21]),
    ])
    func `the turn goes on behind the endpoint that was called last`(last: String, expected: [Int64]) {
        let lines = [Self.line("a", 1...2), Self.line("b", 11...12), Self.line("c", 21...22)]
        let order = ClaimOrder(lines: lines, last: .init(endpointID: last, isManual: false))
        #expect(order.first(3) == expected)
    }

    @Test func `one call at a time, every endpoint still gets its turn`() {
        var lines = [Self.line("a", 1...50), Self.line("b", 101...110), Self.line("c", 201...210)]
        var last: ClaimOrder.Last?
        var called: [String] = []
        for _ in 0..<9 {
            let next = ClaimOrder(lines: lines, last: last).first(1)[0]
            let index = Int(next / 100)
            lines[index].fresh.removeFirst()
            last = .init(endpointID: lines[index].endpointID, isManual: false)
            called.append(lines[index].endpointID)
        }
        #expect(called == ["a", "b", "c", "a", "b", "c", "a", "b", "c"])
    }

    @Test func `what failed since and what was held take turns`() {
        let order = ClaimOrder(lines: [Self.line("a", 1...2, held: [91, 92, 93, 94])])
        #expect(order.first(10) == [1, 91, 2, 92, 93, 94])
    }

    @Test(arguments: [Int64(1), 2, 3, 7])
    func `also one call at a time they do, whoever calls in between`(stride: Int64) {
        let held = (1...1_000).count { turn in
            let last = ClaimOrder.Last(endpointID: "a", isManual: false, number: Int64(turn) * stride)
            return ClaimOrder(lines: [Self.line("a", 1...1, held: [91])], last: last).first(1) == [91]
        }
        #expect((480...520).contains(held))
    }

    @Test func `a bulk retry gets at most every second call while anything else is due`() {
        let manual: [Int64] = Array(1_000..<1_100)
        let lines = [Self.line("a", 1...20), Self.line("b", 101...120)]
        let order = ClaimOrder(manual: manual, lines: lines).first(40)
        #expect(order.filter { $0 >= 1_000 }.count == 20)
        #expect(order.prefix(4) == [1_000, 1, 1_001, 101])
        #expect(ClaimOrder(manual: manual, lines: []).first(3) == [1_000, 1_001, 1_002])
    }

    @Test func `also one call at a time a bulk retry takes every second one`() {
        let after = { (isManual: Bool) in
            ClaimOrder(
                manual: [1_000], lines: [Self.line("a", 1...1)], last: .init(endpointID: "a", isManual: isManual)
            ).first(1)
        }
        #expect(after(false) == [1_000])
        #expect(after(true) == [1])
    }

    @Test func `nothing due is nothing to call`() {
        #expect(ClaimOrder(lines: []).first(10) == [])
        #expect(ClaimOrder(lines: [Self.line("a", 1...1)]).first(0) == [])
    }
}
