export { SourcePage as default } from './connection'
