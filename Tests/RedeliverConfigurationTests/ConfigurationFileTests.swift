import Foundation
import RedeliverConfiguration
import TestSupport
import Testing

@Suite struct ConfigurationFileTests {
    let folder: TemporaryFolder

    init() throws {
        folder = try TemporaryFolder()
    }

    private func problem(_ path: String) -> String {
        do throws(ConfigurationError) {
            _ = try WorkerConfiguration.load(path: path, environment: [:])
            return "accepted"
        } catch {
            return error.description.replacing(folder.path, with: "")
        }
    }

    private func problem(of data: Data) throws -> String {
        problem(try folder.write("c.yaml", data))
    }

    private func problem(of text: String) throws -> String {
        try problem(of: Data(text.utf8))
    }

    @Test func `a good file loads, with and without a byte order mark, with both line ends`() throws {
        let yaml = ConfigurationSample().yaml
        let expected = try ConfigurationSample().read()
        for text in [yaml, "\u{FEFF}" + yaml, yaml.replacing("\n", with: "\r\n"), "---\n" + yaml + "...\n"] {
            let path = try folder.write("c.yaml", text)
            var loaded = try WorkerConfiguration.load(path: path, environment: [:])
            // Of the file's mode.
            loaded.cautions = []
            #expect(loaded == expected)
        }
    }

    @Test func `a missing file, a directory and an empty path say so`() {
        #expect(problem("\(folder.path)/none.yaml") == "/none.yaml: the file does not exist")
        #expect(problem("\(folder.path)/none/c.yaml") == "/none/c.yaml: the file does not exist")
        #expect(problem(folder.path) == ": is a directory, expected a YAML file")
        #expect(problem("") == ": the file does not exist")
    }

    @Test(.enabled(if: geteuid() != 0, "root reads every file"))
    func `an unreadable file says so`() throws {
        let path = try folder.write("c.yaml", ConfigurationSample().yaml)
        try FileManager.default.setAttributes([.posixPermissions: 0], ofItemAtPath: path)
        #expect(problem(path).hasPrefix("/c.yaml: cannot be read: "))
    }

    @Test(arguments: ["", "\n\n", "# only a comment\n", "   ", "\u{FEFF}"])
    func `a file without content is empty`(text: String) throws {
        #expect(try problem(of: text) == "/c.yaml: is empty: it needs at least provider, endpoints and database")
    }

    @Test(arguments: [
        ("- a\n- b\n", "1:1: expected a mapping of keys to values at the top level, found a list"),
        ("just words", "1:1: expected a mapping of keys to values at the top level, found a single value"),
        ("--- ~", "1:5: expected a mapping of keys to values at the top level, found a single value"),
    ])
    func `the top level must be a mapping`(text: String, problem: String) throws {
        #expect(try self.problem(of: text) == "/c.yaml:\(problem)")
    }

    @Test func `a file that is not UTF-8 or too large is refused`() throws {
        #expect(try problem(of: Data([0x61, 0x3A, 0x20, 0xFF])) == "/c.yaml: is not UTF-8 text")
        #expect(try problem(of: Data([0xFF, 0xFE, 0x61, 0x00])) == "/c.yaml: is not UTF-8 text")
        let comment = "# " + String(repeating: "x", count: 1_048_576)
        #expect(try problem(of: comment) == "/c.yaml: is larger than 1 MiB; is it the right file?")
        let full = ConfigurationSample().yaml
        let padded = full + "#" + String(repeating: "x", count: 1_048_576 - full.utf8.count - 1)
        #expect(try problem(of: padded) == "accepted")
    }

    @Test func `an endless device is not read to its end`() {
        #expect(problem("/dev/zero").contains("cannot be read: it is a device, not a file"))
    }

    @Test(arguments: [
        ("a: [1, 2\nb: 3\n", "2:2"), ("a: 'open\n", "2:1"), ("\ta: b\n", "1:1"), ("a: b: c\n", "1:5"),
        ("a: *nobody\n", "1:4"), ("a: b\n---\nc: d\n", "2:1"), ("ab: c\n  \u{01}d: e\n", "2:3"),
        ("a: @x", "1:4"), ("{a: b", "2:1"),
    ])
    func `a syntax error has its line and column`(text: String, place: String) throws {
        let problem = try problem(of: text)
        #expect(problem.hasPrefix("/c.yaml:\(place): is not valid YAML: "), "\(problem)")
        #expect(!problem.contains("\n"))
    }

    @Test func `aliases are refused before they can multiply`() throws {
        var bomb = "a: &a [\"x\", \"x\"]\n"
        for (from, to) in zip("abcdefghijklmnopqrstuvwxy", "bcdefghijklmnopqrstuvwxyz") {
            bomb += "\(to): &\(to) [\(Array(repeating: "*\(from)", count: 9).joined(separator: ", "))]\n"
        }
        bomb += "? *z\n: 1\n"
        let refusal = "YAML aliases are not supported; write the value in place of this *, and remove the &"
        #expect(try problem(of: bomb) == "/c.yaml:2:8: \(refusal)")
        for alias in ["{a: *n}", "{*n : a}", "[*n]", "{\"a\":*n}", "{?*n : a}", "*n", "&m *n"] {
            #expect(try problem(of: "x: &n 1\ny: \(alias)\n").hasSuffix(refusal), "\(alias)")
        }
    }

    @Test func `patterns and ampersands that are no aliases are left alone`() throws {
        let sample = ConfigurationSample(
            auth: "{username: 'a&b*b', password: 'x &y'}",
            lines: ["# R&D & *others*", #"policies: [{events: ["*", "*_x", "document_*"]}]"#])
        #expect(sample.problems() == [])
    }

    @Test(arguments: ["[", "{a: ", "- ", "? ", "[{a: ", "!a "])
    func `deep nesting ends in a fault, not in a crash`(opening: String) throws {
        let text = String(repeating: opening, count: 1_048_576 / opening.utf8.count)
        #expect(try problem(of: text).hasPrefix("/c.yaml"))
    }

    @Test func `random bytes end in a fault, not in a crash`() throws {
        var generator = SeededNumbers(seed: 20_240_501)
        let signs = Array("ab:-?[]{},#&*!|>'\"%@` \n\n\t~0\u{FEFF}é".unicodeScalars)
        for _ in 0..<500 {
            let scalars = (0..<Int.random(in: 1...60, using: &generator)).map { _ in
                signs[Int.random(in: 0..<signs.count, using: &generator)]
            }
            let text = String(String.UnicodeScalarView(scalars))
            #expect(!ConfigurationSample.faults(text).isEmpty, "\(text.debugDescription)")
        }
    }
}
