import Foundation
import Testing

@Suite("The repository's own rules")
struct TidyTests {
    @Test func `no source file has more than 300 lines`() throws {
        for file in try Repository.swiftFiles(below: "Sources") + Repository.swiftFiles(below: "Tests") {
            #expect(file.lines.count <= 301, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test(arguments: [("Sources", ".swift"), ("Tests", ".swift"), ("migrations", ".sql")])
    func `comments wrap where the code does, at 120 columns`(_ folder: String, _ ending: String) throws {
        for file in try Repository.files(below: folder, ending: ending) {
            for (number, line) in file.lines.enumerated() where line.count > 120 {
                let text = line.trimmingCharacters(in: .whitespaces)
                let isComment = text.hasPrefix("//") || (ending == ".sql" && text.contains("-- "))
                #expect(!isComment, "\(file.path):\(number + 1) has \(line.count) columns")
            }
        }
    }

    @Test func `the text of a page wraps before 200 columns`() throws {
        for page in try Repository.files(below: "docs", ending: ".md") {
            for (number, line) in page.lines.enumerated() where line.count > 200 && !line.hasPrefix("|") {
                Issue.record("\(page.path):\(number + 1) has \(line.count) columns")
            }
        }
    }

    @Test func `no function has more than 70 lines`() throws {
        for file in try Repository.swiftFiles(below: "Sources") {
            for function in longFunctions(file) {
                Issue.record("\(file.path): \(function)")
            }
        }
    }

    @Test(arguments: [
        "try!", "as!", "fatalError(", "@unchecked Sendable", "nonisolated(unsafe)", "Task.detached", "TODO", "FIXME",
    ]) func `nothing is forced or left for later`(_ word: String) throws {
        for file in try Repository.swiftFiles(below: "Sources") {
            expectNone(of: word, in: file)
        }
    }

    /// Time, SQL and HTTP have one home each (docs/design.md, how the code is shaped).
    @Test(arguments: [
        ("Date()", ["Sources/ProviderSandbox/", "Sources/RedeliverDemo/"]),
        ("Date.now", ["Sources/ProviderSandbox/", "Sources/RedeliverDemo/"]),
        ("clock_gettime", ["Sources/DeliveryWorker/Loops/WallClock.swift", "Sources/ProviderSandbox/"]),
        (" time(nil)", []),
        ("import GRDB", ["Sources/DeliveryQueue/SQL/"]),
        ("import AsyncHTTPClient", ["Sources/ProviderAPI/Wire/AsyncHTTPTransport.swift", "Sources/ProviderSandbox/"]),
        ("import Yams", ["Sources/RedeliverConfiguration/"]),
        ("import ProviderSandbox", []),
        ("Double.random(", ["Sources/DeliveryQueue/Policy/RetryPolicy.swift", "Sources/ProviderSandbox/"]),
        ("SystemRandomNumberGenerator", []),
    ]) func `dangerous things have one home`(_ word: String, _ homes: [String]) throws {
        for file in try Repository.swiftFiles(below: "Sources")
        where !homes.contains(where: { file.path.hasPrefix($0) }) {
            expectNone(of: word, in: file)
        }
    }

    /// What waits for a time depends on how busy the machine is. Tests wait for an event, or on a clock that they set.
    @Test(arguments: ["Task.sleep(", "usleep(", "Thread.sleep("]) func `no test sleeps`(_ word: String) throws {
        let homes = [
            "Tests/TestSupport/Waiting.swift",
            // A server that drips.
            "Tests/HostileInput/NetworkFault.swift",
            // Programs, not tests.
            "Tests/Benchmarks/", "Tests/Fuzz/",
            // These words.
            "Tests/RepositoryTests/TidyTests.swift",
        ]
        for file in try Repository.swiftFiles(below: "Tests")
        where !homes.contains(where: { file.path.hasPrefix($0) }) {
            expectNone(of: word, in: file)
        }
    }

    /// Another engine brings its own words for these.
    @Test(arguments: ["INDEXED BY", "CROSS JOIN", "TOTAL(", "hex(", " IS ?", " IS :", "?1", "sqlite_schema"])
    func `SQL that only SQLite knows stands in one folder`(_ word: String) throws {
        for file in try Repository.swiftFiles(below: "Sources/DeliveryQueue")
            + Repository.swiftFiles(below: "Sources/DatabaseTools")
        where !file.path.hasPrefix("Sources/DeliveryQueue/SQL/") {
            expectNone(of: word, in: file)
        }
    }

    @Test func `no function of ours stands on the database library's types`() throws {
        for file in try Repository.swiftFiles(below: "Sources") { expectNone(of: "extension Database", in: file) }
    }

    @Test(arguments: ["DeliveryQueue", "ProviderAPI", "DeliveryWorker"])
    func `each folder of the core says in a README what lives there`(_ target: String) throws {
        let files = try Repository.swiftFiles(below: "Sources/\(target)")
        for folder in Set(files.map { ($0.path as NSString).deletingLastPathComponent } + ["Sources/\(target)"]) {
            #expect(throws: Never.self, "\(folder)") { try Repository.text("\(folder)/README.md") }
        }
    }

    /// `print` of the standard library: what it leaves in a buffer is lost without a word when the disk is full.
    @Test func `commands print through their own streams`() throws {
        for file in try Repository.swiftFiles(below: "Sources/RedeliverCLI")
        where file.path != "Sources/RedeliverCLI/Output/StandardStreams.swift" {
            for (number, line) in file.lines.enumerated() where printsByItself(line) {
                Issue.record("\(file.path):\(number + 1) has `print(`")
            }
        }
    }

    @Test(arguments: [
        ("print(text)", true), ("    if ok { print(text) }", true), ("Swift.print(text)", true),
        ("try output.print(text)", false), ("func print(_ text: String) {", false), ("debugPrint(text)", true),
        ("blueprint(text)", false), ("// print(text)", false),
    ]) func `a print of the standard library is told from ours`(_ line: String, _ isOne: Bool) {
        #expect(printsByItself(line) == isOne)
    }

    private func printsByItself(_ line: String) -> Bool {
        guard !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") else { return false }
        let bare = line.replacing("Swift.print(", with: "print(").replacing("debugPrint(", with: "print(")
            .replacing("func print(", with: "")
        return bare.contains(/(^|[^.\w])print\(/)
    }

    @Test func `the queue and the provider's side do not know each other`() throws {
        for file in try Repository.swiftFiles(below: "Sources/DeliveryQueue") {
            expectNone(of: "import ProviderAPI", in: file)
        }
        for file in try Repository.swiftFiles(below: "Sources/ProviderAPI") {
            expectNone(of: "import DeliveryQueue", in: file)
        }
    }

    private func expectNone(of word: String, in file: Repository.File) {
        for (number, line) in file.lines.enumerated() where line.contains(word) {
            let code = line.trimmingCharacters(in: .whitespaces)
            guard !code.hasPrefix("//") else { continue }
            Issue.record("\(file.path):\(number + 1) has `\(word)`")
        }
    }

    /// A function ends where a closing brace stands at its own indentation: the formatter sees to that.
    private func longFunctions(_ file: Repository.File) -> [String] {
        var long: [String] = []
        var open: (line: Int, indentation: Int, text: String)?
        for (number, line) in file.lines.enumerated() {
            let indentation = line.prefix { $0 == " " }.count
            if open == nil, line.contains("func "), !line.trimmingCharacters(in: .whitespaces).hasPrefix("//") {
                open = (number, indentation, line.trimmingCharacters(in: .whitespaces))
            } else if let start = open, line.dropFirst(indentation).hasPrefix("}"), indentation == start.indentation {
                if number - start.line > 70 { long.append("\(start.text): \(number - start.line) lines") }
                open = nil
            } else if let start = open, number > start.line, indentation < start.indentation, !line.isEmpty {
                open = nil
            }
        }
        return long
    }
}
