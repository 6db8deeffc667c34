import Primitives

extension SafetensorsFile: Artifact {
  package static let format = "safetensors"
  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.name.hasSuffix(fileSuffix) }
  package static func open(_ path: String) throws -> SafetensorsFile { try SafetensorsFile(path) }
  package static func describe(_ path: String, lines: Int) throws -> [String]? { [kind] + (try SafetensorsFile(path).table(lines)) }

  package static let fileSuffix = ".safetensors"

  /// Metadata and the first tensors, with the statistics of floating-point tensors.
  package func table(_ lines: Int) throws -> [String] {
    var table = TextTable(["tensor", "type", "shape", "minimum", "maximum", "mean"], right: [3, 4, 5])
    for name in names.prefix(lines) {
      let type = dtype(name)
      var cells = [Format.clip(name, 60), type?.rawValue ?? "?", "[" + (shape(name) ?? []).map(String.init).joined(separator: ", ") + "]"]
      if let type, [.F64, .F32, .F16, .BF16].contains(type) { cells += try withFloats(name, Self.statistics) }
      table.add(cells)
    }
    let facts = metadata.sorted { $0.key < $1.key }.map { "\(Format.clip($0.key, 40)): \(Format.clip($0.value, 80))" }
    return facts + table.lines + Format.more(names.count - lines, "tensors")
  }

  /// Minimum, maximum and mean of the finite elements, and the number of others.
  private static func statistics(_ values: UnsafeBufferPointer<Float>) -> [String] {
    var (least, greatest, sum, bad) = (Float.infinity, -Float.infinity, 0.0, 0)
    for value in values {
      guard value.isFinite else {
        bad += 1
        continue
      }
      least = min(least, value)
      greatest = max(greatest, value)
      sum += Double(value)
    }
    guard bad < values.count else { return ["", "", "", bad > 0 ? "only NaN/Inf" : ""] }
    let cells = [Double(least), Double(greatest), sum / Double(values.count - bad)].map(Format.significant)
    return bad > 0 ? cells + ["\(Format.count(bad)) NaN/Inf"] : cells
  }
}
