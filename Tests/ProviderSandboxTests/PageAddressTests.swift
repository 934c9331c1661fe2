import Testing

@testable import ProviderSandbox

@Suite struct PageAddressTests {
    /// The queries of the pages behind the first, as a client follows them.
    private func followed(_ scenario: Scenario, pages: Int, limit: Int = 7) -> [String] {
        var address = PageAddress(number: 1)
        var queries: [String] = []
        while queries.count < limit, let next = scenario.link(after: address, of: pages) {
            queries.append(next.query)
            address = next
        }
        return queries
    }

    @Test func `links lead from page to page, and the last has none`() {
        #expect(followed(Scenario(), pages: 3) == ["page=2", "page=3"])
        #expect(followed(Scenario(), pages: 1) == [])
    }

    @Test func `a loop is a circle of two pages`() {
        var scenario = Scenario()
        scenario.loopPage = 3
        #expect(followed(scenario, pages: 4, limit: 6) == ["page=2", "page=3", "page=2", "page=3", "page=2", "page=3"])
    }

    @Test func `empty pages stand before each page but the first`() {
        var scenario = Scenario()
        scenario.emptyPages = .some(2)
        #expect(
            followed(scenario, pages: 3) == [
                "page=2&empty=2", "page=2&empty=1", "page=2", "page=3&empty=2", "page=3&empty=1", "page=3",
            ])
    }

    @Test func `empty pages without end have an address of their own each`() {
        var scenario = Scenario()
        scenario.emptyPages = .endless
        let queries = followed(scenario, pages: 2, limit: 50)
        #expect(queries.count == 50)
        #expect(Set(queries).count == 50)
        #expect(followed(scenario, pages: 1) == [])
    }
}
