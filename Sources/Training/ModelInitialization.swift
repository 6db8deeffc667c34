import Storage

/// The initial weights of a run.
package enum ModelInitialization: Sendable {
  /// Random initialization.
  case scratch(ModelConfiguration)
  /// The weights of a model folder.
  case folder(String)
  /// The weights of a checkpoint, optionally with the optimizer's moments: a branch of another run.
  case checkpoint(String, optimizer: Bool)

  /// Continues from `path`: a checkpoint with its moments, a model folder, or the final model of a run.
  package init(continuing path: String) throws {
    self = Checkpoint.exists(path) ? .checkpoint(path, optimizer: true) : .folder(try ModelFolder.locate(path))
  }

  /// The model folder whose files other than the weights are carried over.
  package var folder: String? {
    switch self {
    case .scratch: nil
    case .folder(let path), .checkpoint(let path, _): path
    }
  }

  /// The configuration of the model, and a line that identifies the weights.
  func resolve() throws -> (ModelConfiguration, fingerprint: String) {
    switch self {
    case .scratch(let configuration): return (configuration, "scratch")
    case .folder(let path):
      let configuration = try ModelFolder.configuration(path)
      try configuration.checkTrainable(place: path)
      try ModelFolder.check(path, configuration: configuration)
      return (configuration, "model \(try ModelFolder.fingerprint(path))")
    case .checkpoint(let path, let optimizer):
      let manifest = try Manifest.read(folder: path, format: Checkpoint.format)
      let model = try Checkpoint.state(path).model
      try model.validate(place: path)
      try ModelFolder.check(path, configuration: model)
      return (model, "checkpoint \(manifest.fingerprint)\(optimizer ? " with moments" : "")")
    }
  }
}
