import Foundation
import Testing

@Suite("The README keeps its word")
struct ReadmeTests {
    /// The rows of the table of promises, and the tests that they name in backticks.
    private func promises() throws -> [(promise: String, tests: [String])] {
        let readme = try Repository.text("README.md")
        let start = try #require(readme.range(of: "| promise | shown by |"))
        let rows = readme[start.upperBound...].split(separator: "\n", omittingEmptySubsequences: false).dropFirst(2)
        return rows.prefix { $0.hasPrefix("|") }.map { row in
            let cells = row.split(separator: "|", omittingEmptySubsequences: true).map(String.init)
            let pieces = (cells.last { !$0.trimmingCharacters(in: .whitespaces).isEmpty } ?? "").components(
                separatedBy: "`")
            return (cells.first ?? "", pieces.enumerated().filter { $0.offset % 2 == 1 }.map(\.element))
        }
    }

    @Test func `every promise names a test that exists`() throws {
        let tests = try Repository.swiftFiles(below: "Tests").flatMap(\.lines).joined(separator: "\n")
        let promises = try promises()
        #expect(promises.count >= 5)
        for promise in promises {
            #expect(!promise.tests.isEmpty, "no test is named for:\(promise.promise)")
            for test in promise.tests {
                #expect(tests.contains("func `\(test)`"), "there is no test named: \(test)")
            }
        }
    }

    @Test func `every target of make that the README names is there`() throws {
        let makefile = try Repository.text("Makefile")
        let readme = try Repository.text("README.md")
        let named = readme.matches(of: /make ([a-z]+)/).map { String($0.output.1) }
        #expect(named.contains("demo") && named.contains("test"))
        for target in Set(named) where !["duplicates"].contains(target) {
            #expect(makefile.contains("\n\(target): "), "make \(target) is not in the Makefile")
        }
    }

    private func metricsPage() throws -> String {
        try Repository.text("Sources/DeliveryWorker/MetricsPage.swift")
            + Repository.text("Sources/DeliveryWorker/MetricsPage+Circuits.swift")
    }

    @Test func `every metric that the README names is written`() throws {
        let page = try metricsPage()
        let readme = try Repository.text("README.md")
        let names = readme.matches(of: /`(redeliver_[a-z_]+)`/).map { String($0.output.1) }
        #expect(names.count >= 18)
        for name in Set(names) {
            #expect(page.contains("\"\(name)\""), "\(name) is not written")
        }
    }

    @Test func `every metric that is written stands in the README`() throws {
        let page = try metricsPage()
        let readme = try Repository.text("README.md")
        for name in Set(page.matches(of: /"(redeliver_[a-z_]+)"/).map { String($0.output.1) }) {
            #expect(readme.contains("`\(name)`"), "\(name) is not in the README")
        }
    }
}
