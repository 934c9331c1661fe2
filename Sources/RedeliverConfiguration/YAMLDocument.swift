import Yams

/// The one YAML document of a configuration file as nodes with line and column.
struct YAMLDocument {
    /// The top level; nil when the text has only spaces and comments.
    let root: Node?
    /// The original names of repeated keys, by their stand-ins. Yams refuses a whole text because of a repeated key,
    /// which hides all other faults. So the earlier of the two keys gets a stand-in, and Yams reads the text again.
    let repeatedKeys: [String: String]

    /// At most this many repeated keys are renamed, because each costs one more reading of the text.
    private static let maxRepeatedKeys = 20

    /// - Throws: `ConfigurationFault` for a syntax error, an alias, or a repeated key that cannot be renamed.
    init(text: String) throws(ConfigurationFault) {
        if let fault = YAMLAliases.fault(in: text) { throw fault }
        var text = text
        var repeated: [String: String] = [:]
        while true {
            // Yams keeps a pointer to the text's bytes. This moves texts of up to 15 bytes to the heap.
            text.reserveCapacity(16)
            do {
                // The basic resolver keeps every scalar as text. The key decides the type, not YAML's guess.
                root = try Yams.compose(yaml: text, .basic)
                repeatedKeys = repeated
                return
            } catch let error as YamlError {
                guard case .duplicatedKeysInMapping(let names, let context) = error,
                    repeated.count < Self.maxRepeatedKeys,
                    let key = Self.rename(keyAt: context.mark, among: names, in: &text, number: repeated.count)
                else { throw Self.fault(error) }
                repeated[key.standIn] = key.name
            } catch {
                throw ConfigurationFault(key: "", problem: "is not valid YAML")
            }
        }
    }

    /// Replaces the key at `mark` by private-use characters of equal length, so that no position changes. nil when the
    /// key there is none of `names`.
    private static func rename(
        keyAt mark: Mark, among names: [String], in text: inout String, number: Int
    ) -> (name: String, standIn: String)? {
        var scalars = Array(text.unicodeScalars)
        guard var start = offset(of: mark, in: scalars), start < scalars.count else { return nil }
        if scalars[start] == "\"" || scalars[start] == "'" { start += 1 }
        let key = scalars[start...].prefix { !":\"'".unicodeScalars.contains($0) && !$0.properties.isWhitespace }
        let name = String(String.UnicodeScalarView(key))
        guard names.contains(name), let standIn = Unicode.Scalar(0xE000 + UInt32(number)) else { return nil }
        let replacement = Array(repeating: standIn, count: key.count)
        scalars.replaceSubrange(key.indices, with: replacement)
        text = String(String.UnicodeScalarView(scalars))
        return (name, String(String.UnicodeScalarView(replacement)))
    }

    /// libyaml counts lines and columns in Unicode scalars from 1; CR LF is one line break.
    private static func offset(of mark: Mark, in scalars: [Unicode.Scalar]) -> Int? {
        var line = 1
        var position = 0
        while line < mark.line {
            guard let end = scalars[position...].firstIndex(where: { $0 == "\n" || $0 == "\r" }) else { return nil }
            let isPair = scalars[end] == "\r" && end + 1 < scalars.count && scalars[end + 1] == "\n"
            position = end + (isPair ? 2 : 1)
            line += 1
        }
        return position + mark.column - 1
    }

    /// Uses only the fixed words of Yams' error: its description shows lines of the file, which may hold a secret.
    private static func fault(_ error: YamlError) -> ConfigurationFault {
        func at(_ mark: Mark?, _ problem: String) -> ConfigurationFault {
            ConfigurationFault(line: mark?.line, column: mark?.column, key: "", problem: problem)
        }
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let prefix = context.map { "\($0.text) that began in line \($0.mark.line), " } ?? ""
            return at(mark, "is not valid YAML: \(prefix)\(problem)")
        case .composer(_, let problem, let mark, _):
            return at(mark, "is not valid YAML: \(problem)")
        case .reader(let problem, let offset, _, let text):
            return fault(problem, offset: offset, in: text)
        case .duplicatedKeysInMapping(_, let context):
            return at(context.mark, "this key appears more than once in its mapping")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            return at(nil, "is not valid YAML")
        }
    }

    private static func fault(_ problem: String, offset: Int?, in text: String) -> ConfigurationFault {
        var fault = ConfigurationFault(key: "", problem: "is not valid YAML: \(problem)")
        guard let offset else { return fault }
        let before = text.prefix(offset)
        let lineStart = before.lastIndex(where: \.isNewline).map(before.index(after:)) ?? before.startIndex
        fault.line = before.count(where: \.isNewline) + 1
        fault.column = before[lineStart...].unicodeScalars.count + 1
        return fault
    }
}
