import Foundation

/// A value that is masked when it is printed, logged or dumped.
package struct Secret: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    static let mask = "[hidden]"

    /// The value itself, for calls that send it and for the commands with which an operator asks for it.
    package let revealed: String

    package init(_ value: String) {
        revealed = value
    }

    package var description: String { Self.mask }
    package var debugDescription: String { Self.mask }
    package var customMirror: Mirror { Mirror(self, children: ["value": Self.mask]) }
}

/// Where the password of a login comes from.
package enum PasswordSource: Sendable, Equatable {
    case value(Secret)
    /// The file is read for each login, so that a rotated password needs no restart.
    case file(path: String)
}

/// How we authenticate to the provider.
package enum Credential: Sendable, Equatable {
    /// A fixed bearer token. It cannot be renewed when the provider refuses it.
    case token(Secret)
    /// A bearer token in a file. The file is read for each request, so that a rotated token needs no restart.
    case tokenFile(path: String)
    /// `POST /api/v2/user/login` gives the tokens, and `POST /api/v2/token/refresh/` refreshes them.
    case login(username: String, password: PasswordSource)
}

/// Reads secrets from files.
package enum SecretFile {
    /// Largest file in bytes, far above any token or password. Protects against a wrong path.
    private static let sizeLimit = 64 << 10

    /// The file's text without line breaks at its end. A fault never holds the content.
    package static func read(_ path: String) -> Result<Secret, Fault> {
        let bytes: Data
        do {
            let file = try FileHandle(forReadingFrom: URL(filePath: path))
            defer { try? file.close() }
            bytes = try file.read(upToCount: sizeLimit + 1) ?? Data()
        } catch {
            return .failure(.unreadable)
        }
        guard bytes.count <= sizeLimit, let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(.noText)
        }
        let content = String(text.reversed().drop { $0.isNewline }.reversed())
        return content.isEmpty ? .failure(.empty) : .success(Secret(content))
    }

    /// Why the file holds no usable secret.
    package enum Fault: Error {
        case unreadable, empty
        /// Too long, or not UTF-8.
        case noText

        func reason(_ path: String) -> String {
            switch self {
            case .unreadable: "cannot read the file \(path): does it exist, and may this user read it?"
            case .noText: "the file \(path) is too long or not text: is it the right one?"
            case .empty: "the file \(path) is empty"
            }
        }
    }
}
