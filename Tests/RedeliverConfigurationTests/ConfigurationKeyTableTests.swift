import Foundation
import Testing

@testable import RedeliverConfiguration

@Suite struct ConfigurationKeyTableTests {
    @Test func `every default obeys its own rule`() {
        for row in ConfigurationKeyTable.rows {
            guard case .value(let text) = row.setting.standard else { continue }
            #expect(throws: Never.self, "\(row.key)") {
                try ScalarReader.read(text, as: row.setting.kind)
            }
        }
    }

    @Test func `no key stands twice and every key says what it does`() {
        let keys = ConfigurationKeyTable.paths
        #expect(Set(keys).count == keys.count)
        #expect(keys.count == 62)
        #expect(ConfigurationKeyTable.rows.allSatisfy { $0.setting.effect.hasSuffix(".") })
    }

    @Test func `the documentation's table is the table of keys`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let page = try String(contentsOf: root.appending(path: "docs/configuration.md"), encoding: .utf8)
        let table = try #require(page.components(separatedBy: "\n\n").first { $0.hasPrefix("| key | type | unit |") })
        let documented = table.split(separator: "\n").map(String.init)
        let wanted = ConfigurationKeyTable.markdown.split(separator: "\n").map(String.init)
        for line in wanted where !documented.contains(line) { Issue.record("docs/configuration.md lacks: \(line)") }
        for line in documented where !wanted.contains(line) { Issue.record("no key has this line: \(line)") }
        #expect(documented == wanted)
    }
}
