@testable import DeliveryWorker
import Foundation
import Testing

@Suite struct ConfigurationKeyTableTests {
    private static var readme: String? {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        return try? String(contentsOf: root.appending(path: "README.md"), encoding: .utf8)
    }

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
        #expect(keys.count == 57)
        #expect(ConfigurationKeyTable.rows.allSatisfy { $0.setting.effect.hasSuffix(".") })
    }

    @Test(.enabled(if: readme?.contains("| key | type | unit |") == true, "the README has no table of keys"))
    func `the README's table is the table of keys`() {
        for line in ConfigurationKeyTable.markdown.split(separator: "\n") {
            #expect(Self.readme?.contains(line) == true, "the README lacks: \(line)")
        }
    }
}
