import Foundation

/// The checkout that these tests are part of.
enum Checkout {
    static let root = URL(filePath: #filePath).appending(path: "../../../..").standardizedFileURL
}
