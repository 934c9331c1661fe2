import DeliveryQueue
import Doctor
import Foundation
import Testing

@testable import RedeliverCLI

@Suite struct DoctorReportTests {
    private let now = Timestamp(milliseconds: 1_767_225_600_000)
    private let findings = [
        Finding("configuration", .ok, "no faults, 1 endpoint"),
        Finding("daemon", .warning, "none runs", advice: "start it"),
        Finding("provider", .bad, "no answer\u{1B}[2J", advice: "look at base_url"),
        Finding("clock", .unknown, "no answer tells the provider's time"),
    ]

    @Test func `a page has a table, below it what is to be done, and the sum`() {
        let repairs = [
            DoctorRepair.Outcome.failed("make the folder /n: Permission denied"), .fixed("removed /m/x.tmp"),
        ]
        let report = DoctorReport(findings, repairs: repairs, at: now)
        #expect(
            report.text(on: .plain) == """
                fixed: removed /m/x.tmp
                not fixed: make the folder /n: Permission denied

                CHECK          VERDICT  FOUND
                configuration  ok       no faults, 1 endpoint
                daemon         warning  none runs
                provider       bad      no answer\u{FFFD}[2J
                clock          unknown  no answer tells the provider's time

                daemon
                  found: none runs
                  to do: start it
                provider
                  found: no answer\u{FFFD}[2J
                  to do: look at base_url
                clock
                  found: no answer tells the provider's time

                not healthy: 1 ok, 1 warning, 1 bad, 1 unknown
                """)
    }

    @Test func `a healthy page is the table and one line`() {
        let report = DoctorReport([findings[0]], at: now)
        #expect(
            report.text(on: .plain) == """
                CHECK          VERDICT  FOUND
                configuration  ok       no faults, 1 endpoint

                healthy: 1 ok
                """)
    }

    @Test func `warnings and what is unknown are no illness`() {
        #expect(DoctorReport([findings[1], findings[3]], at: now).healthy)
        #expect(!DoctorReport(findings, at: now).healthy)
    }

    @Test func `on a narrow terminal the table is cut and the advice is not`() {
        let long = Finding("provider", .bad, String(repeating: "no answer ", count: 9), advice: "look at base_url")
        let text = DoctorReport([long], at: now).text(on: Terminal(width: 40, hasColours: false))
        #expect(text.contains("…\n\nprovider\n  found: " + long.found))
    }

    @Test func `the JSON has every check`() throws {
        let text = try JSONOutput.text(DoctorReport(Array(findings.prefix(2)), at: now))
        #expect(
            text == """
                {
                  "at" : 1767225600,
                  "checks" : [
                    {
                      "found" : "no faults, 1 endpoint",
                      "name" : "configuration",
                      "verdict" : "ok"
                    },
                    {
                      "advice" : "start it",
                      "found" : "none runs",
                      "name" : "daemon",
                      "verdict" : "warning"
                    }
                  ],
                  "fixed" : [

                  ],
                  "healthy" : true,
                  "not_fixed" : [

                  ]
                }
                """)
    }

    @Test func `the JSON tells what was mended from what could not be`() throws {
        struct JSON: Decodable { let fixed, notFixed: [String] }
        let report = DoctorReport([], repairs: [.failed("make a: no"), .fixed("removed b")], at: now)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let json = try decoder.decode(JSON.self, from: Data(JSONOutput.text(report).utf8))
        #expect(json.fixed == ["removed b"] && json.notFixed == ["make a: no"])
    }
}
