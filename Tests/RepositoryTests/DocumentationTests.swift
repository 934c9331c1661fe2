import Foundation
import Testing

@Suite("The documentation keeps its word")
struct DocumentationTests {
    private let pages: [MarkdownPage]

    init() throws {
        pages = try Repository.markdownPages()
    }

    private func page(_ path: String) throws -> MarkdownPage {
        try #require(pages.first { $0.path == path }, "there is no \(path)")
    }

    // MARK: - Promises

    /// The promises, and the tests that are listed below each of them.
    private func promises() throws -> [(promise: String, tests: [String])] {
        let sections = try page("docs/guarantees.md").text.components(separatedBy: "\n## ")
        let promises = try #require(sections.first { $0.hasPrefix("Promises\n") }, "no section Promises")
        return promises.components(separatedBy: "\n### ").dropFirst().map { section in
            let tests = section.matches(of: /(?m)^- `(.+)`$/).map { String($0.output.1) }
            return (String(section.prefix { $0 != "\n" }), tests)
        }
    }

    @Test func `every promise names a test that exists`() throws {
        let tests = try Repository.swiftFiles(below: "Tests").flatMap(\.lines).joined(separator: "\n")
        let promises = try promises()
        #expect(promises.count >= 15)
        for promise in promises {
            #expect(!promise.tests.isEmpty, "no test is named for: \(promise.promise)")
            for test in promise.tests {
                #expect(tests.contains("func `\(test)`"), "there is no test named: \(test)")
            }
        }
    }

    @Test func `each of the README's promises leads to its proof`() throws {
        let readme = try page("README.md").text
        let section = try #require(readme.components(separatedBy: "\n## ").first { $0.hasPrefix("What it promises\n") })
        let numbered = section.components(separatedBy: "\n").filter { $0.contains(/^\d\.\s/) }
        #expect(numbered.count == 5)
        #expect(numbered.allSatisfy { $0.contains("](docs/guarantees.md#") })
    }

    // MARK: - Programs and metrics

    @Test func `every target of make that is named is there`() throws {
        let makefile = try Repository.text("Makefile")
        for page in pages {
            let named = page.text.matches(of: /(?m)(?:`|^|&& )make ([a-z][a-z-]*)/).map { String($0.output.1) }
            if page.path == "README.md" { #expect(named.contains("demo") && named.contains("test")) }
            for target in Set(named) {
                #expect(makefile.contains("\n\(target): "), "make \(target) in \(page.path) is not in the Makefile")
            }
        }
    }

    private func metricsPage() throws -> String {
        let files = try Repository.swiftFiles(below: "Sources/DeliveryWorker").filter {
            $0.path.contains("/MetricsPage")
        }
        return files.flatMap(\.lines).joined(separator: "\n")
    }

    @Test func `every metric that is named is written`() throws {
        let source = try metricsPage()
        for page in pages {
            let names = Set(page.text.matches(of: /`(redeliver_[a-z_]+)`/).map { String($0.output.1) })
            if page.path == "docs/metrics.md" { #expect(names.count >= 29) }
            for name in names {
                #expect(source.contains("\"\(name)\""), "\(name) in \(page.path) is not written")
            }
        }
    }

    @Test func `every metric that is written stands in the list of metrics`() throws {
        let list = try page("docs/metrics.md").text
        for name in Set(try metricsPage().matches(of: /"(redeliver_[a-z_]+)"/).map { String($0.output.1) }) {
            #expect(list.contains("`\(name)`"), "\(name) is not in docs/metrics.md")
        }
    }

    // MARK: - Shape

    /// A front page, not a manual.
    @Test func `the README has at most 10 KB and a table of contents`() throws {
        let readme = try page("README.md")
        #expect(readme.text.utf8.count <= 10_240)
        for heading in readme.headings where heading.level == 2 {
            let line = "- [\(heading.text)](#\(MarkdownPage.anchor(of: heading.text)))"
            #expect(readme.text.contains("\n\(line)\n"), "the contents lack: \(line)")
        }
    }

    @Test func `each page of docs says at once what it is for, and the README leads to it`() throws {
        let readme = try page("README.md").text
        let docs = pages.filter { $0.path.hasPrefix("docs/") }
        #expect(docs.count >= 10)
        for page in docs {
            let paragraphs = page.text.components(separatedBy: "\n\n")
            #expect(paragraphs[0].hasPrefix("# ") && paragraphs[1].hasPrefix("This page "), "\(page.path)")
            #expect(readme.contains("](\(page.path))"), "the README does not lead to \(page.path)")
        }
    }

    // MARK: - Links and paths

    @Test func `every relative link leads to a file, and every anchor to a heading`() throws {
        for page in pages {
            for link in page.links where !link.contains(":") {
                let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
                let target = parts[0].isEmpty ? page.path : Repository.path(parts[0], from: page.path)
                #expect(Repository.exists(target), "\(page.path): \(link) leads nowhere")
                guard parts.count > 1 else { continue }
                let anchors = pages.first { $0.path == target }?.anchors
                #expect(anchors?.contains(parts[1]) == true, "\(page.path): \(link) leads to no heading")
            }
        }
    }

    private static let hasAllFolders = ["DeliveryQueue/Delivery", "ProviderAPI/Log", "DeliveryWorker/Gate"].allSatisfy {
        Repository.exists("Sources/\($0)")
    }

    @Test(.enabled(if: hasAllFolders, "the folders that the map shows are not all there"))
    func `every path that is named in the text is there`() throws {
        for page in pages {
            let named = page.text.matches(of: /`((?:Sources|Tests|docs|deploy|migrations)\/[A-Za-z0-9_.+\/-]+)`/)
            for path in Set(named.map { String($0.output.1) }) {
                #expect(Repository.exists(path), "\(page.path): there is no \(path)")
            }
        }
    }
}
