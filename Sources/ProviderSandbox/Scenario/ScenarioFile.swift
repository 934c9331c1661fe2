import Foundation

/// The named texts of the flags or of a file, from which a scenario is read.
struct ScenarioTexts: Sendable {
    /// In the given order. A repeatable setting has several texts.
    var entries: [(name: String, texts: [String])] = []

    /// Sets everything that can be read and returns a sentence for each text that cannot.
    func apply(to scenario: inout Scenario) -> [String] {
        var faults: [String] = []
        for (name, texts) in entries {
            guard let setting = ScenarioSetting.byName[name] else {
                faults.append("\(name): there is no such setting")
                continue
            }
            if texts.count > 1, !setting.isRepeatable {
                faults.append("\(name): expected one value, not \(texts.count)")
            }
            for text in texts {
                do throws(Unreadable) {
                    try setting.set(&scenario, to: text)
                } catch {
                    faults.append("\(name): \(error)")
                }
            }
        }
        return faults
    }

    /// These texts without those that `other` has too. Flags replace the settings of a file.
    func overridden(by other: ScenarioTexts) -> ScenarioTexts {
        let names = Set(other.entries.map(\.name))
        return ScenarioTexts(entries: entries.filter { !names.contains($0.name) })
    }
}

extension ScenarioTexts {
    /// Reads a file with a JSON object. Its names are those of the flags, its values strings, numbers, booleans or
    /// arrays of them.
    ///
    /// - Throws: `Unreadable` when the file cannot be read or holds something else.
    init(contentsOf path: String) throws(Unreadable) {
        let data: Data
        do {
            data = try Data(contentsOf: URL(fileURLWithPath: path))
        } catch {
            throw Unreadable("\(path) cannot be read: \(error.localizedDescription)")
        }
        do throws(JSONFault) {
            try self.init(members: try JSONCut.members(of: Array(data)))
        } catch {
            throw Unreadable("\(path): \(error)")
        }
    }

    /// Takes the members of a JSON object.
    ///
    /// - Throws: `JSONFault` when a value is an object or null.
    init(members: [String: [UInt8]]) throws(JSONFault) {
        for (name, value) in members.sorted(by: { $0.key < $1.key }) {
            let elements = try JSONCut.elements(of: value) ?? [value]
            var texts: [String] = []
            for element in elements {
                guard element.first != UInt8(ascii: "{"), element != Array("null".utf8) else {
                    throw JSONFault(reason: "\(name) is an object or null", offset: 0)
                }
                texts.append(JSONCut.text(of: element) ?? String(decoding: element, as: UTF8.self))
            }
            // Event names are one text with commas. A file may also give them as a list.
            entries.append((name, name == "events" ? [texts.joined(separator: ",")] : texts))
        }
    }
}
