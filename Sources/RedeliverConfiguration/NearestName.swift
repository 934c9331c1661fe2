/// Finds the known name that somebody probably meant.
enum NearestName {
    /// Longer words are not compared, because the work grows with the product of the lengths.
    private static let maxLength = 100

    /// The known name nearest to `word`, at most two letters or a third of its length away; nil when none is near.
    /// Among equally near names the first one wins.
    static func of(_ word: String, among known: [String]) -> String? {
        guard word.count <= maxLength else { return nil }
        var best: (name: String, distance: Int)?
        for name in known {
            let distance = distance(word.lowercased(), name)
            guard distance <= max(2, name.count / 3), distance < min(word.count, name.count) else { continue }
            if distance < best?.distance ?? .max { best = (name, distance) }
        }
        return best?.name
    }

    /// The number of letters to insert, remove or replace between two words.
    static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right)
        var previous = Array(0...right.count)
        for (row, letter) in left.enumerated() {
            var current = [row + 1]
            for (column, other) in right.enumerated() {
                let replaced = previous[column] + (letter == other ? 0 : 1)
                current.append(min(replaced, previous[column + 1] + 1, current[column] + 1))
            }
            previous = current
        }
        return previous[right.count]
    }
}
