import Foundation
import Testing

@Suite("The repository is of no machine")
struct PortabilityTests {
    @Test func `no file names a path of one machine`() throws {
        let files = try Repository.swiftFiles(below: "Sources") + Repository.swiftFiles(below: "Tests")
        let pages = try Repository.markdownPages().map(\.text)
        let texts = files.flatMap(\.lines) + pages + [try Repository.text("Makefile")]
        let pattern = /(^|[^A-Za-z0-9_.])\/(work|root|home\/[a-z]+)\//
        for line in texts.joined(separator: "\n").split(separator: "\n") where !line.contains("let pattern") {
            #expect(line.firstMatch(of: pattern) == nil, "\(line)")
        }
    }

    @Test func `build output is not tracked`() throws {
        let ignored = try Repository.text(".gitignore")
        #expect(ignored.contains(".build/") && ignored.contains("Package.resolved"))
    }
}
