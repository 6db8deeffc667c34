import Storage

extension ModelFolder {
  /// Checks what a model is computed from, where Weir wrote the folder. Checkpoints are checked by their reader.
  static func checkFiles(_ folder: String) throws {
    // A folder of another program may have a file of this name.
    guard Files.exists(folder + "/" + Manifest.fileName), let manifest = try? Manifest.read(folder: folder, format: format) else { return }
    try manifest.check(in: folder) { $0.hasSuffix(SafetensorsFile.fileSuffix) || ["config.json", "tokenizer.json"].contains($0) }
  }
}
