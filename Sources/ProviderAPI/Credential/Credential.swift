import Foundation
import LocalFiles

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

extension Credential {
    /// The file that holds the secret; nil when it stands elsewhere.
    package var file: String? {
        switch self {
        case .tokenFile(let path), .login(_, .file(let path)): path
        case .token, .login(_, .value): nil
        }
    }

    /// Why the secret in its file cannot work now, without the secret; nil when it may, or stands elsewhere.
    package func problemInFile() -> String? {
        guard let file else { return nil }
        switch SecretFile.read(file) {
        case .failure(let fault): return fault.reason(file)
        case .success(let secret):
            if case .tokenFile = self { return BearerToken.problem(of: secret.revealed).map { "the token \($0)" } }
            return secret.revealed.hasByteOrderMark ? "the password begins with a byte order mark" : nil
        }
    }
}

extension String {
    /// Editors on Windows put one before a text. It is part of the secret then.
    fileprivate var hasByteOrderMark: Bool { unicodeScalars.first == "\u{FEFF}" }
}

/// The rule for tokens that stand in a header.
enum BearerToken {
    /// Whether the token is visible ASCII. The HTTP client would refuse anything else, or the header would change.
    static func isUsable(_ token: String) -> Bool {
        !token.isEmpty && token.utf8.allSatisfy(Byte.isVisible)
    }

    /// Why it is not usable, as the end of a sentence that begins with "the token"; nil: it is.
    static func problem(of token: String) -> String? {
        if isUsable(token) { return nil }
        if token.isEmpty { return "is empty" }
        if token.hasByteOrderMark { return "begins with a byte order mark: save the file as UTF-8 without one" }
        if token.lowercased().hasPrefix("bearer ") { return "begins with `Bearer `: only what follows belongs there" }
        return "holds characters that no token has, such as spaces or line breaks"
    }
}

/// Reads secrets from files.
package enum SecretFile {
    /// Largest file in bytes, far above any token or password. Protects against a wrong path.
    private static let sizeLimit = 64 << 10

    /// The file's text without line breaks at its end. A fault names the path and never the content.
    ///
    /// - Parameter mayWait: whether the operator may give a pipe in its place, for which it waits.
    package static func read(_ path: String, mayWait: Bool = false) -> Result<Secret, Fault> {
        let bytes: [UInt8]
        do {
            bytes = try mayWait ? waiting(path) : OpenFile(reading: path).bytes(atMost: sizeLimit + 1)
        } catch let error as FileFault where error.code == nil {
            return .failure(.unfit(error.description))
        } catch {
            return .failure(.unreadable)
        }
        guard bytes.count <= sizeLimit, let text = String(validating: bytes, as: UTF8.self) else {
            return .failure(.noText)
        }
        let content = String(text.reversed().drop { $0.isNewline }.reversed())
        return content.isEmpty ? .failure(.empty) : .success(Secret(content))
    }

    private static func waiting(_ path: String) throws -> [UInt8] {
        let file = try FileHandle(forReadingFrom: URL(filePath: path))
        defer { try? file.close() }
        return Array(try file.read(upToCount: sizeLimit + 1) ?? Data())
    }

    /// Why the file holds no usable secret.
    package enum Fault: Error, Equatable {
        case unreadable, empty
        /// It is no regular file: why.
        case unfit(String)
        /// Too long, or not UTF-8.
        case noText

        func reason(_ path: String) -> String {
            switch self {
            case .unfit(let why): "cannot read the file \(path): \(why)"
            case .unreadable: "cannot read the file \(path): does it exist, and may this user read it?"
            case .noText: "the file \(path) is too long or not text: is it the right one?"
            case .empty: "the file \(path) is empty"
            }
        }
    }
}
