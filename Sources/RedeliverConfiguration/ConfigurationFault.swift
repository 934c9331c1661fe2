import ProviderAPI

/// One fault of a configuration, in words for the person who corrects it. It never contains a secret.
package struct ConfigurationFault: Error, Sendable, Hashable {
    /// Line and column in the file, from 1; nil for faults of the environment and of the file as a whole.
    package var line: Int?
    package var column: Int?
    /// The faulty environment variable; nil for faults of the file.
    package var variable: String?
    /// Dotted, like `endpoints[0].name`; empty for faults of the file as a whole and of unknown variables.
    package var key: String
    /// What is wrong and what is allowed.
    package var problem: String

    /// Control characters become U+FFFD, because keys and values of the file are quoted in terminals and logs.
    package init(line: Int? = nil, column: Int? = nil, variable: String? = nil, key: String, problem: String) {
        self.line = line
        self.column = column
        self.variable = variable.map(Printable.text)
        self.key = Printable.text(key)
        self.problem = Printable.text(problem)
    }

    /// One line: `redeliver.yaml:5:22: retry.concurrency: 99999 is outside 1…256`, or
    /// `environment: REDELIVER_RETRY_CONCURRENCY: 99999 is outside 1…256`.
    package func line(path: String) -> String {
        if let variable { return "environment: \(variable): \(problem)" }
        let position = [line, column].compactMap { $0.map { ":\($0)" } }.joined()
        return "\(path)\(position): \(key.isEmpty ? "" : "\(key): ")\(problem)"
    }
}

/// A configuration that cannot be used, with all its faults in the order of the file.
package struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The file's path as the caller gave it.
    package var path: String
    /// Never empty.
    package var faults: [ConfigurationFault]

    package init(path: String, faults: [ConfigurationFault]) {
        self.path = path
        self.faults = faults
    }

    /// All faults, one a line.
    package var description: String {
        faults.map { $0.line(path: path) }.joined(separator: "\n")
    }
}
