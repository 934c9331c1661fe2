@testable import RedeliverConfiguration

/// The table of keys as docs/configuration.md shows it, made from the table that the checks use.
enum ConfigurationKeyTable {
    /// One row of the table; `[]` in the key stands for each entry of a list.
    struct Row {
        let key: String
        let setting: Setting
    }

    static let rows = rows(of: ConfigurationKeys.all, under: "")
    static let paths = rows.map(\.key)

    /// Keys whose value lies between two bounds, in the spelling of `ConfigurationSample.with`.
    static var rangedPaths: Set<String> {
        Set(
            rows.compactMap { row in
                switch row.setting.kind {
                case .integer, .number, .duration, .durations: row.key.replacing("[]", with: "")
                case .flag, .word, .text, .texts, .section, .list: nil
                }
            })
    }

    static var markdown: String {
        let head = ["| key | type | unit | default | range | effect |", "| --- | --- | --- | --- | --- | --- |"]
        return (head + rows.map(line)).joined(separator: "\n") + "\n"
    }

    private static func line(_ row: Row) -> String {
        let (type, unit) = typeAndUnit(row.setting)
        let standard =
            switch row.setting.standard {
            case .required: "**required**"
            case .value(let text): "`\(text)`"
            case .absent(let words): words
            }
        let range = row.setting.kind.words.map { "`\($0)`" }.joined(separator: ", ")
        let cells = [
            "`\(row.key)`", type, unit, standard, range.isEmpty ? row.setting.kind.rangeText : range,
            row.setting.effect,
        ]
        return "| \(cells.joined(separator: " | ")) |"
    }

    private static func typeAndUnit(_ setting: Setting) -> (String, String) {
        let time = "`ms` `s` `m` `h` `d`"
        return switch setting.kind {
        case .flag: ("flag", setting.unit)
        case .integer: ("whole number", setting.unit)
        case .number: ("number", setting.unit)
        case .duration: ("duration", time)
        case .durations: ("list of durations", time)
        case .word: ("word", setting.unit)
        case .text: ("text", setting.unit)
        case .texts: ("text or list", setting.unit)
        case .list, .section: ("list", setting.unit)
        }
    }

    private static func rows(of settings: [Setting], under section: String) -> [Row] {
        settings.flatMap { setting -> [Row] in
            let key = section.isEmpty ? setting.name : "\(section).\(setting.name)"
            switch setting.kind {
            case .section(let inner, _): return rows(of: inner, under: key)
            case .list(let inner, _): return [Row(key: key, setting: setting)] + rows(of: inner, under: "\(key)[]")
            default: return [Row(key: key, setting: setting)]
            }
        }
    }
}

extension Setting.Kind {
    /// The words that may stand there; empty for every other kind.
    fileprivate var words: [String] {
        switch self {
        case .flag: ["true", "false"]
        case .word(let words): words
        default: []
        }
    }
}
