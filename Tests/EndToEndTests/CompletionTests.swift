import Foundation
import Testing

@Suite struct CompletionTests {
    enum Shell: String, CaseIterable, Sendable {
        case bash, zsh, fish

        /// How its script says which command it is at.
        func mark(of path: [String]) -> String {
            switch self {
            case .bash, .zsh: "_\(path.joined(separator: "_"))() {"
            case .fish: "\"\(path.joined(separator: " "))\""
            }
        }

        func mark(ofOption name: String) -> String {
            switch self {
            case .bash, .zsh: "--\(name)"
            case .fish: "-l '\(name)'"
            }
        }
    }

    @Test(arguments: Shell.allCases) func `the script knows every command and every option`(shell: Shell) async throws {
        try await withBench { bench in
            let script = try await script(for: shell, bench)
            for (path, command) in try await CommandTree(of: "redeliver", bench).all {
                #expect(script.contains(shell.mark(of: path)), "\(path)")
                for name in (command.arguments ?? []).compactMap(\.longName) {
                    #expect(script.contains(shell.mark(ofOption: name)), "\(path) --\(name)")
                }
            }
        }
    }

    @Test(arguments: Shell.allCases) func `the shell accepts the script`(shell: Shell) async throws {
        guard let program = BuiltPrograms.tool(shell.rawValue) else { return }
        try await withBench { bench in
            let file = try await file(for: shell, bench)
            let checked = try await bench.run(program, ["-n", file.path])
            #expect(checked.ending == .code(0) && checked.errors.isEmpty, "\(checked.errors)")
        }
    }

    @Test(
        .enabled(if: BuiltPrograms.tool("bash") != nil, "bash is not installed"),
        arguments: [
            ("redeliver ", "run doctor deliveries database help"), ("redeliver deliveries re", "retry requeue"),
            ("redeliver deliveries retry --rea", "--reason"),
            ("redeliver deliveries list --state de", "delivered dead"), ("redeliver endpoints secret ", "show rotate"),
        ]) func `bash completes what was typed`(typed: String, offered: String) async throws
    {
        let bash = try #require(BuiltPrograms.tool("bash"))
        try await withBench { bench in
            let file = try await file(for: .bash, bench)
            let words = typed.split(separator: " ", omittingEmptySubsequences: false)
            let program = """
                source '\(file.path)'
                COMP_WORDS=(\(words.map { "'\($0)'" }.joined(separator: " "))); COMP_CWORD=\(words.count - 1)
                COMP_LINE='\(typed)'; COMP_POINT=\(typed.count)
                _redeliver redeliver '\(words[words.count - 1])' '\(words[words.count - 2])'
                printf '%s\\n' "${COMPREPLY[@]}"
                """
            let completed = try await bench.run(bash, ["-c", program])
            let found = Set(completed.output.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) })
            #expect(found.isSuperset(of: offered.split(separator: " ").map(String.init)), "\(completed)")
            #expect(found.allSatisfy { $0.hasPrefix(words[words.count - 1]) }, "\(found)")
        }
    }

    private func script(for shell: Shell, _ bench: Bench) async throws -> String {
        let made = try await bench.run("redeliver", ["--generate-completion-script", shell.rawValue])
        #expect(made.ending == .code(0) && made.errors.isEmpty)
        return made.output
    }

    private func file(for shell: Shell, _ bench: Bench) async throws -> URL {
        let file = bench.folder.appending(path: "redeliver.\(shell.rawValue)")
        try await script(for: shell, bench).write(to: file, atomically: true, encoding: .utf8)
        return file
    }
}
