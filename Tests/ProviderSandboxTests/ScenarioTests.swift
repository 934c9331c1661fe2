import Testing

@testable import ProviderSandbox

@Suite struct ScenarioTests {
    private func texts(_ entries: [(String, [String])]) -> ScenarioTexts {
        ScenarioTexts(entries: entries.map { (name: $0.0, texts: $0.1) })
    }

    @Test func `settings are read from their names and texts`() {
        var scenario = Scenario()
        let given = texts([
            ("failures", ["7"]), ("down", ["1:0-15", "0:2.5-3"]), ("refail", ["3:2"]), ("spread", ["2h"]),
            ("retry-logs", ["in-place"]), ("events", ["a,b"]), ("gzip", ["true"]), ("mount", ["/gw"]),
            ("next-url", ["inner"]), ("loop-page", ["2"]), ("empty-pages", ["endless"]), ("no-count", ["true"]),
            ("delete-while-paging", ["3"]),
        ])
        #expect(given.apply(to: &scenario) == [])
        #expect(scenario.failures == 7)
        #expect(scenario.outages.map(\.endpointIndex) == [1, 0])
        #expect(scenario.refail == Scenario.Refail(count: 3, times: 2))
        #expect(scenario.spread == .seconds(7200))
        #expect(scenario.retryLogs == .inPlace)
        #expect(scenario.events == ["a", "b"])
        #expect(scenario.gzip)
        #expect(scenario.mount == "/gw" && scenario.nextURL == .inner)
        #expect(scenario.loopPage == 2 && scenario.emptyPages == .endless)
        #expect(scenario.noCount && scenario.deleteWhilePaging == 3)
    }

    @Test func `all faults are reported at once and each names its setting`() {
        var scenario = Scenario()
        let given = texts([
            ("failures", ["-1"]), ("order", ["up"]), ("latency", ["5"]), ("nope", ["1"]), ("port", ["1", "2"]),
            ("down", ["1:5-2"]), ("refail", ["3"]), ("token", [""]), ("mount", ["gw/"]), ("loop-page", ["1"]),
            ("empty-pages", ["many"]),
        ])
        let names = given.apply(to: &scenario).map { $0.prefix { $0 != ":" } }
        #expect(
            names == [
                "failures", "order", "latency", "nope", "port", "down", "refail", "token", "mount", "loop-page",
                "empty-pages",
            ])
    }

    @Test func `a flag replaces what the file says, also all values of a repeatable one`() throws {
        let file = try ScenarioTexts(
            members: try JSONCut.members(
                of: Array(#"{"seed":3,"fault":["logs:html","logs:garbage"],"events":["a","b"]}"#.utf8))
        )
        let flags = texts([("fault", ["retry:html"])])
        var scenario = Scenario()
        #expect(file.overridden(by: flags).apply(to: &scenario) + flags.apply(to: &scenario) == [])
        #expect(scenario.seed == 3)
        #expect(scenario.faults.map(\.text) == ["retry:html"])
        #expect(scenario.events == ["a", "b"])
    }

    @Test func `values that do not fit together are found`() throws {
        var scenario = Scenario()
        scenario.endpoints = 1
        scenario.failures = 2
        scenario.outages = [try Scenario.Outage(parsing: "1:0-5")]
        scenario.faults = [try Fault(parsing: "logs/4:garbage")]
        scenario.refail = Scenario.Refail(count: 3, times: 1)
        scenario.username = "u"
        (scenario.emptyPages, scenario.loopPage) = (.endless, 2)
        #expect(scenario.contradictions().count == 5)
        #expect(Scenario().contradictions() == [])
    }
}
