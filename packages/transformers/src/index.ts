// Calibration.
export type {
  CalibrationImage,
  CalibrationInput,
  CalibrationPair,
  CalibrationSample,
} from './calibration/calibration-input.js';
// Folders: find attention, swap it.
export { type DownloadedFolder, type DownloadOptions, downloadFolder } from './folder/download-folder.js';
export type { Dtype } from './folder/dtype.js';
export {
  type FolderInspection,
  type FolderInspectOptions,
  inspectFolder,
} from './folder/inspect-folder.js';
export type { InspectedFile } from './folder/inspected-file.js';
export type { ModelFile, ModelFolder } from './folder/model-folder.js';
export { type FolderSwapResult, swapFolder } from './folder/swap-folder.js';
export {
  type FolderProgress,
  type FolderSwapOptions,
  type SwappedFile,
  type SwappedFolder,
  swapFolderFiles,
} from './folder/swap-folder-files.js';
export { checkOutputFolder } from './folder/write-folder.js';
export { type FolderWriteOptions, type WrittenFolder, writeSwappedFolder } from './folder/write-swapped-folder.js';
export { inspect, type ModelInspectOptions } from './inspect.js';
export type { TransformersLibrary } from './library/library.js';
// Loading: the library with one more option.
export type { HubOptions, LoadReport, MheLoadOptions } from './load/load-options.js';
export { type MheLibrary, type WithMheOption, withMhe } from './load/with-mhe.js';
export { ModelFolderError, type ModelProblem } from './model-folder-error.js';
export type { MheOptions } from './options.js';
export type { OptionsRecord } from './options-record.js';
