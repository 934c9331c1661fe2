import Foundation

/// The programs under test. `swift build --build-tests` puts them beside the test bundle; those in the folder that
/// `REDELIVER_TEST_PROGRAMS` names, such as a release build's, are taken first.
enum BuiltPrograms {
    /// - Throws: when the program is not built.
    static func url(of name: String) throws -> URL {
        for folder in folders {
            let url = folder.appending(path: name)
            if FileManager.default.isExecutableFile(atPath: url.path) { return url }
        }
        throw NotBuilt(name: name, folders: folders.map(\.path))
    }

    /// A tool of the system; nil when it is not installed.
    static func tool(_ name: String) -> URL? {
        (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":")
            .map { URL(filePath: String($0)).appending(path: name) }
            .first { FileManager.default.isExecutableFile(atPath: $0.path) }
    }

    private static let folders: [URL] = {
        let bundles = CommandLine.arguments.filter { $0.hasSuffix(".xctest") }.map { URL(filePath: $0) }
        let package = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
        let wanted = ProcessInfo.processInfo.environment["REDELIVER_TEST_PROGRAMS"].map { [URL(filePath: $0)] } ?? []
        return wanted + bundles.map { $0.deletingLastPathComponent() } + [package.appending(path: ".build/debug")]
    }()

    struct NotBuilt: Error, CustomStringConvertible {
        let name: String
        let folders: [String]

        var description: String { "\(name) is in none of \(folders); run swift build --build-tests" }
    }
}
