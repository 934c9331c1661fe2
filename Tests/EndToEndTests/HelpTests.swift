import Testing

/// The manual is made from these texts (`make man`), so what is missing here is missing there.
@Suite struct HelpTests {
    @Test func `every command, option and argument says what it is for`() async throws {
        try await withBench { bench in
            let commands = try await CommandTree(of: "redeliver", bench).all
            #expect(commands.count > 20)
            for (path, command) in commands {
                #expect(isSentence(command.abstract), "\(path) has no abstract")
                for argument in command.arguments ?? [] {
                    #expect(isSentence(argument.abstract), "\(path) \(argument.label) has no help")
                }
            }
        }
    }

    @Test func `every value that an option allows is explained`() async throws {
        try await withBench { bench in
            var explained = 0
            for (path, command) in try await CommandTree(of: "redeliver", bench).all {
                for argument in command.arguments ?? [] {
                    for value in argument.allValues ?? [] {
                        let text = argument.allValueDescriptions?[value] ?? ""
                        #expect(!text.isEmpty, "\(path) \(argument.label) \(value) is not explained")
                        explained += 1
                    }
                }
            }
            #expect(explained > 0)
        }
    }

    /// The manual's maker drops other characters, shows no default value, and takes a blank line for a fault.
    @Test func `every text reads the same in the manual`() async throws {
        try await withBench { bench in
            for (path, command) in try await CommandTree(of: "redeliver", bench).all {
                let arguments = command.arguments ?? []
                let texts =
                    [command.abstract, command.discussion] + arguments.flatMap { [$0.abstract, $0.discussion] }
                let values = arguments.flatMap { ($0.allValueDescriptions ?? [:]).values }
                for text in texts.compactMap(\.self) + values {
                    #expect(text.allSatisfy { $0.isASCII }, "\(path): \(text)")
                    #expect(!text.contains("\n\n"), "\(path): \(text)")
                }
                for argument in arguments {
                    #expect(argument.defaultValue == nil, "\(path) \(argument.label): put the default into the text")
                }
            }
        }
    }

    @Test func `the overview shows every command once, in groups, and what the exit codes mean`() async throws {
        try await withBench { bench in
            let tree = try await CommandTree(of: "redeliver", bench)
            let help = try await bench.run("redeliver", ["--help"])
            let lines = help.output.split(separator: "\n")

            #expect(help.ending == .code(0) && help.errors.isEmpty)
            for group in ["DAEMON AND CONFIGURATION", "HEALTH", "DELIVERY", "PROVIDER", "MAINTENANCE"] {
                #expect(lines.contains("\(group) SUBCOMMANDS:"))
            }
            for command in tree.all where command.path.count == 2 {
                #expect(lines.filter { $0.hasPrefix("  \(command.path[1]) ") }.count == 1, "\(command.path)")
            }
            let words = help.output.split(whereSeparator: \.isWhitespace)
            for code in [0, 1, 64, 69, 70, 74, 75, 77, 78] {
                #expect(words.contains("\(code)"), "exit code \(code)")
            }
        }
    }

    private func isSentence(_ text: String?) -> Bool {
        guard let text, let first = text.first else { return false }
        return first.isUppercase && text.last == "."
    }
}
