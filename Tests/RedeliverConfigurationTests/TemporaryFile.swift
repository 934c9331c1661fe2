import TestSupport

/// A file that exists as long as the value does.
final class TemporaryFile: Sendable {
    private let folder: TemporaryFolder
    let path: String

    init(_ text: String) throws {
        folder = try TemporaryFolder()
        path = try folder.write("file", text)
    }
}
