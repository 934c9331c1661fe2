import Foundation

/// The checkout that these tests are part of.
enum Repository {
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent()

    struct File: Sendable, CustomStringConvertible {
        /// Relative to the root.
        let path: String
        let lines: [String]

        var description: String { path }
    }

    /// All Swift files below a folder, sorted by path.
    static func swiftFiles(below folder: String) throws -> [File] { try files(below: folder, ending: ".swift") }

    /// All files below a folder whose names end so, sorted by path.
    static func files(below folder: String, ending: String) throws -> [File] {
        let base = root.appending(path: folder)
        let paths = try FileManager.default.subpathsOfDirectory(atPath: base.path).filter { $0.hasSuffix(ending) }
        return try paths.sorted().map { path in
            let text = try String(contentsOf: base.appending(path: path), encoding: .utf8)
            return File(path: "\(folder)/\(path)", lines: text.components(separatedBy: "\n"))
        }
    }

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }
}
