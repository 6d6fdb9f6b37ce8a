/** Tests run as ES modules, compiled by the same compiler and settings as the build. */
export default {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '@swc/jest' },
  moduleNameMapper: { '^(\\.{1,2}/.*)\\.js$': '$1' },
  modulePathIgnorePatterns: ['<rootDir>/dist/', '<rootDir>/data/', '<rootDir>/.cache/'],
  testSequencer: '<rootDir>/tools/sequencer.cjs',
  globalSetup: '<rootDir>/test/services-setup.mjs',
  globalTeardown: '<rootDir>/test/services-teardown.mjs',
  testMatch: ['<rootDir>/{apps,libs,test,bench,tools}/**/*.spec.ts'],
  reporters: ['default', '<rootDir>/tools/counts.cjs'],
};
